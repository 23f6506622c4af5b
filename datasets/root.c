#include "datasets/root.h"
#include <stdio.h>
#include <stdlib.h>

const char *root_dir(void)
{
    const char *given = getenv("LAB_ROOT");
    return given != NULL && given[0] != '\0' ? given : LAB_ROOT_DEFAULT;
}

void root_data_dir(char path[PATH_MAX])
{
    const char *given = getenv("LAB_DATA");
    if (given != NULL && given[0] != '\0') snprintf(path, PATH_MAX, "%s", given);
    else snprintf(path, PATH_MAX, "%s/data", root_dir());
}
