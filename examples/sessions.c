/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visits to a site: who is there, and how many pages they have seen when they leave. Lines of
 * standard input are "user page"; who has asked for no page for SECONDS (30) has left.
 *
 *     tail -f requests | ./sessions [SECONDS]
 */
#include <beck/beck.h>

#include <stdlib.h>

/* "ann /home" -> ("ann", "/home") */
static void request(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), user, page;

    if (beck_next_token(&rest, " ", &user) && beck_next_token(&rest, " ", &page))
        beck_emit(c, user, page);
}

/* Once per request, in order; and a last time, without a page, when the visit is over. The state is
 * the number of pages, and is gone after that. */
static void visit(beck_call *c, beck_row user, beck_row page, beck_state *pages)
{
    int64_t n = beck_state_bigint(pages, 0, 0);
    beck_str name = beck_get_string(user, 0);

    if (beck_is_none(page)) {
        beck_emit(c, name, "has left", n);
        return;
    }
    beck_state_put(pages, n + 1);
    if (n == 0)
        beck_emit(c, name, "has come", n + 1);
}

int main(int argc, char **argv)
{
    beck_context *ctx = beck_context_new("sessions", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    int64_t timeout_ms = 1000 * (argc > 1 ? atoll(argv[1]) : 30);

    beck_dstream *requests =
        beck_flat_map(beck_stdin_stream(ctx), "user STRING, page STRING", request);
    beck_dstream *visits =
        beck_map_with_state(requests, "pages BIGINT", "user STRING, what STRING, pages BIGINT",
                            visit, .timeout_ms = timeout_ms, .name = "visits");
    beck_print(visits, .rows = 100);

    /* The state itself is a stream, too: everybody who is there now. */
    beck_print(beck_count(beck_state_snapshots(visits)));
    return beck_run(ctx);
}
