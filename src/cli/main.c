/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the beck command. A context comes first: in a process that was started as a worker
 * (--isolate) it serves the driver and never returns.
 */
/* tests: commands_test.c */
#include "cli/cli.h"

#include <beck/beck.h>

int main(int argc, char **argv)
{
    beck_context_free(beck_context_new("beck"));
    return beck__cli(argc, argv);
}
