/* parameters.h -- model.* and parameters.* of the report: the counts, and the ledger they are the sum of. */
#pragma once
#include "labs/5_frontier/key_numbers/app/model/model.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

void parameters_tell(Rows *rows, const Model *model);
