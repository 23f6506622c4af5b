#include "datasets/grammar.h"

// clang-format off
#define THINGS "ball|kite|hat|drum|lamp|book|box|cup|bell|boat|rope|shell|stone|stick|leaf|flower|" \
    "basket|blanket|pillow|coat|shoe|sock|ring|key|map|coin|clock|mirror|ladder|wagon|bucket|broom|" \
    "brush|chair|table|bench|fence|gate|door|window|wheel|nest|log|tree|bush|rock|puddle|spoon|" \
    "plate|bottle|pencil|letter|picture|button|feather|candle|lantern|whistle|balloon|puzzle|robot|train|truck|tent"

const GrammarRule grammar_stories[] = {
    {"story", "{opening}{event}{ending}\n"},

    {"opening",
     "{$hero} had a {look} {$thing}. |"
     "{$hero} {found} a {colour} {$thing} {near} the {place}. |"
     "One {weather} {time} {$hero} {found} a {$thing}. |"
     "At the {place} a {trait} {$hero.3} named {$hero} {found} a {$thing}. "},
    {"event",
     "A {trait} {$pet} {found} the {$thing} and {$pet.1}. |"
     "{$hero.2} {gave} it to a {look} {$pet}. |"
     "Then a {colour} {$pet} {came} out of the {place}. |"
     "There {$hero.1} met a {trait} {$pet} with a {look} {thing}. "},
    {"ending",
     "{$hero} and the {$pet} were {feeling}.|"
     "The {$pet} {gave} {$hero} {food} and {$pet.1}.|"
     "They {played} {near} the {thing} and ate {food}.|"
     "{$hero.2} {gave} the {$pet} the {$thing} and was {feeling}."},

    // A name, he or she, the same at the beginning of a sentence, a girl or a boy.
    {"$hero",
     "Lily/she/She/girl|Mia/she/She/girl|Anna/she/She/girl|Rosa/she/She/girl|"
     "Sue/she/She/girl|Ella/she/She/girl|Nora/she/She/girl|Jane/she/She/girl|"
     "Tom/he/He/boy|Ben/he/He/boy|Max/he/He/boy|Sam/he/He/boy|"
     "Jack/he/He/boy|Leo/he/He/boy|Finn/he/He/boy|Peter/he/He/boy"},
    {"$pet",
     "dog/barked|cat/purred|bird/sang|duck/quacked|frog/croaked|horse/neighed|mouse/squeaked|cow/mooed|"
     "pig/grunted|sheep/bleated|bear/growled|lion/roared|wolf/howled|bee/buzzed|snake/hissed|hen/clucked"},
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
    {"$thing", THINGS},
    {"thing", THINGS},
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
