#include "datasets/grammar.h"

// clang-format off
const GrammarRule grammar_stories[] = {
    {"story", "{opening}{event}{ending}\n"},

    {"opening",
     "{$hero} {found} a {look} {$pet}. |"
     "{$hero} had a {colour} {$pet}. |"
     "A {trait} {$pet} {came} to {$hero}. |"
     "One {weather} {time} {$hero} met a {trait} {$pet}. "},
    {"event",
     "{$hero.1} {gave} the {$pet} a {look} {thing}. |"
     "The {$pet} {$pet.1} at a {colour} {thing}. |"
     "The {$pet} {came} {near} the {look} {place}. |"
     "They {played} {near} a {look} {thing}. "},
    {"ending",
     "{$hero} was {feeling}.|"
     "The {$pet} was {feeling} and {$pet.1}.|"
     "They ate {food} {near} the {place}.|"
     "{$hero} and the {$pet} {played}."},

    // A name, and who it is.
    {"$hero",
     "Lily/She|Mia/She|Anna/She|Rosa/She|Sue/She|Ella/She|Tom/He|Ben/He|Max/He|Jack/He|Peter/He|Finn/He"},
    {"$pet",
     "dog/barked|cat/purred|bird/sang|duck/quacked|frog/croaked|horse/neighed|"
     "mouse/squeaked|cow/mooed|bear/growled|lion/roared|wolf/howled|snake/hissed"},
    {"place",
     "park|forest|beach|farm|garden|river|lake|hill|school|market|village|castle|barn|meadow|bridge|cave"},

    {"time", "day|morning|evening|night"},
    {"weather", "sunny|rainy|windy|cold|warm|foggy|snowy|cloudy"},
    {"near",
     "near|behind|under|beside|above|inside|around|below"},
    {"trait",
     "brave|kind|shy|clever|lazy|funny|quiet|proud|gentle|hungry|sleepy|curious|grumpy|polite|silly|wise"},
    {"look",
     "big|small|young|new|tiny|huge|soft|hard|round|long|short|shiny|dirty|clean|broken|pretty|"
     "heavy|light|wet|dry|thick|thin|loud|sweet|strange|warm|cold|smooth|sharp|flat|plain|magic"},
    {"colour", "red|blue|green|yellow|white|black|brown|pink|purple|gray|golden|silver"},
    {"thing",
     "ball|kite|hat|drum|lamp|book|box|cup|bell|boat|rope|shell|"
     "coin|clock|mirror|basket|blanket|pillow|ring|key|map|flower|lantern|whistle|"
     "stone|stick|leaf|coat|shoe|sock|ladder|wagon|bucket|broom|brush|chair|table|bench|fence|gate|"
     "door|window|wheel|nest|log|tree|bush|rock|puddle|spoon|plate|bottle|pencil|letter|picture|button|"
     "feather|candle|balloon|puzzle|robot|train|truck|tent|jar|pot|pan|bag|belt|scarf|glove|wall|"
     "cart|desk|fork|knife|lid|mat|net|pipe|pool|sack|sled|stool|towel|tray|vase|wand"},
    {"food",
     "bread|cheese|soup|cake|jam|honey|milk|rice|corn|beans|plums|pears|grapes|cherries|nuts|seeds|"
     "carrots|peas|pie|cookies|candy|fish|berries|melon"},
    {"feeling",
     "happy|sad|glad|tired|scared|angry|proud|calm|lonely|lucky|safe|sleepy|hungry|excited|sorry|brave"},
    {"played", "played|danced|jumped|laughed|waited|rested|sang|talked|hid|smiled|worked|dreamed"},
    {"came", "came|ran|walked|crept|hopped|rushed|flew|rolled|climbed|jumped|slipped|marched"},
    {"found", "found|saw|lost|took|dropped|painted|carried|fixed|hid|kicked|touched|washed"},
    {"gave", "gave|showed|brought|sold|offered|handed|promised|lent"},
    {NULL, NULL},
};
// clang-format on
