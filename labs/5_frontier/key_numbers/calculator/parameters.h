/* parameters.h -- model.* and parameters.* of the sheet: the counts, and the ledger they are the sum of. */
#pragma once
#include "labs/5_frontier/key_numbers/model/model.h"
#include "labs/5_frontier/key_numbers/sheet.h"

void parameters_tell(Sheet *sheet, const Model *model);
