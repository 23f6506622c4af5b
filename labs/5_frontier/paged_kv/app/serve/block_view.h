/* block_view.h -- the pool's blocks and who holds them, as JSON for the page.
 *
 *     block_view_write(&out, engine);
 *     // {"block_size":16,"blocks":"0:f:c...","sequences":[{"id":3,"choice":0,...,"table":[4,5,9]}]}
 *
 * Numbers alone, and no text of any request.
 */
#pragma once
#include "labs/3_language/tokenizer/app/text/bytes.h"
#include "labs/5_frontier/paged_kv/app/engine.h"

void block_view_write(Bytes *out, const Engine *engine);
