#include "tests/cases.h"
const CaseList lab_cases[] = {NULL};
