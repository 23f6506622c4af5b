#include "datasets/grammar.h"

// clang-format off
const GrammarRule grammar_stories[] = {
    {"story", "{opening}{meeting}{event}{event}{ending}\n"},

    {"opening",
     "Once there was a {trait} {$hero.3} named {$hero} who lived {near} the {$place}. |"
     "One {weather} {time} {$hero} went to the {look} {$place}. |"
     "{$hero} and a {trait} {relative} walked to the {$place}. |"
     "It was a {weather} {time} and {$hero} {played} {near} the {$place}. "},
    {"meeting",
     "There {$hero.1} met a {look} {colour} {$pet}. |"
     "A {trait} {$pet} {came} out of the {$place} and {$pet.1}. |"
     "{$hero.2} saw a {colour} {$pet} with a {look} {thing}. |"
     "Then a {look} {$pet} {$pet.1} {near} the {$place}. "},
    {"event",
     "The {$pet} wanted {food}, but {$hero} {gave} it a {look} {thing}. |"
     "{$hero} {found} a {colour} {thing} {near} the {look} {thing}. |"
     "They {played} with the {look} {thing} and ate {food}. |"
     "The {$pet} {$pet.1} and {came} {near} the {colour} {thing}. |"
     "{$hero.2} felt {feeling} and {gave} the {$pet} {food}. |"
     "Soon the {$pet} {found} the {thing} and {gave} {$hero} a {look} {thing}. |"
     "A {trait} {relative} {came} with {food} and a {colour} {thing}. |"
     "In the {$place} {$hero.1} {found} a {thing}, a {thing} and {food}. "},
    {"ending",
     "{$hero} and the {$pet} were {feeling} and {came} home.|"
     "So the {$pet} got a {colour} {thing} and {$hero} was {feeling}.|"
     "At last {$hero} {gave} the {$pet} {food} and they {played}.|"
     "The {$pet} {$pet.1} and {$hero} felt {feeling}."},

    // A name, he or she, the same at the beginning of a sentence, a girl or a boy.
    {"$hero",
     "Lily/she/She/girl|Mia/she/She/girl|Anna/she/She/girl|Rosa/she/She/girl|"
     "Sue/she/She/girl|Ella/she/She/girl|Nora/she/She/girl|Jane/she/She/girl|"
     "Tom/he/He/boy|Ben/he/He/boy|Max/he/He/boy|Sam/he/He/boy|"
     "Jack/he/He/boy|Leo/he/He/boy|Finn/he/He/boy|Peter/he/He/boy"},
    {"$pet",
     "dog/barked|cat/purred|bird/sang|duck/quacked|frog/croaked|horse/neighed|mouse/squeaked|cow/mooed|"
     "pig/grunted|sheep/bleated|bear/growled|lion/roared|wolf/howled|bee/buzzed|snake/hissed|hen/clucked"},
    {"$place",
     "park|forest|beach|farm|garden|river|lake|hill|school|market|village|castle|barn|meadow|bridge|cave"},

    {"relative", "friend|sister|brother|mother|father|uncle|neighbor|teacher"},
    {"time", "day|morning|evening|night"},
    {"weather", "sunny|rainy|windy|cold|warm|foggy|snowy|cloudy"},
    {"near",
     "near|behind|under|beside|above|inside|around|below"},
    {"trait",
     "brave|kind|shy|clever|lazy|funny|quiet|proud|gentle|hungry|sleepy|curious|grumpy|polite|silly|wise"},
    {"look",
     "big|small|old|new|tiny|huge|soft|hard|round|long|short|shiny|dirty|clean|broken|pretty|"
     "heavy|light|wet|dry|thick|thin|loud|sweet|strange|warm|cold|smooth|sharp|flat|plain|magic"},
    {"colour", "red|blue|green|yellow|white|black|brown|pink|purple|gray|golden|silver"},
    {"thing",
     "ball|kite|hat|drum|lamp|book|box|cup|bell|boat|rope|shell|stone|stick|leaf|flower|"
     "basket|blanket|pillow|coat|shoe|sock|ring|key|map|coin|clock|mirror|ladder|wagon|bucket|broom|"
     "brush|chair|table|bench|fence|gate|door|window|wheel|nest|log|tree|bush|rock|puddle|spoon|"
     "plate|bottle|pencil|letter|picture|button|feather|candle|lantern|whistle|balloon|puzzle|robot|train|truck|tent"},
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
