/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c - names and texts of the statuses, from the one list in beck/types.h; the version.
 */
#include "base/base.h"

#include <beck/beck.h>

const char *beck_status_name(beck_status status)
{
    static const char *const names[] = {
#define NAME(name, text) #name,
        BECK_STATUS_LIST(NAME)
#undef NAME
    };
    return (size_t)status < BECK__COUNT_OF(names) ? names[status] : "UNKNOWN";
}

const char *beck_status_text(beck_status status)
{
    static const char *const texts[] = {
#define TEXT(name, text) text,
        BECK_STATUS_LIST(TEXT)
#undef TEXT
    };
    return (size_t)status < BECK__COUNT_OF(texts) ? texts[status] : "unknown status";
}

const char *beck_version(void)
{
    return BECK_VERSION;
}
