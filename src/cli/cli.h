/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli - the beck command: version, options, conform, help. It uses Beck like any user, by the
 * public headers; only `options` opens another door, config, for the table it prints.
 */
#ifndef BECK_CLI_H
#define BECK_CLI_H

/* What main does; returns its exit code: 0, 1 after a failure, 2 after a wrong command line. */
int beck__cli(int argc, char **argv);

#endif
