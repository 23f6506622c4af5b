/* root.h -- where the project and its data lie.
 *
 *     char path[PATH_MAX];
 *     root_data_dir(path);    // what LAB_DATA says, else data/ in the project's folder
 */
#pragma once
#include <limits.h>

// The project's folder: LAB_ROOT, which ./lab sets, else where the sources were when it was built.
const char *root_dir(void);

// The folder of the data sets. It need not exist.
void root_data_dir(char path[PATH_MAX]);
