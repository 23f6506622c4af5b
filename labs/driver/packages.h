/* packages.h -- the system packages that the project uses, listed in .packages.
 *
 *     Packages packages;
 *     if (!packages_load(arena, root_dir(), &packages, &err)) return error_report(&err);
 *     packages_query(&packages);    // asks dpkg, once
 *     printf("%s\n", packages_setup(packages.items[0].kind));    // "./lab setup"
 *
 * Everything is allocated in the arena.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"

typedef enum PackageKind {
    PACKAGE_BUILD,
    PACKAGE_OPTIONAL,
    PACKAGE_DEV,
    PACKAGE_PEER,
    PACKAGE_KINDS
} PackageKind;

typedef struct Package {
    PackageKind kind;
    const char *name;
    const char *about;    // what for
    bool there;           // installed; set by packages_query()
} Package;

typedef struct Packages {
    int count;
    Package *items;
} Packages;

bool packages_load(Arena *arena, const char *root, Packages *packages, Error *err);

// Finds out which are installed, by themselves or provided by another package. False without dpkg.
bool packages_query(Packages *packages);

const char *packages_kind_name(PackageKind kind);    // as in .packages
const char *packages_setup(PackageKind kind);        // the command that installs those of a kind
