/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream joined with a table: orders on standard input ("user article"), the users in a file
 * ("user,country"); prints each order with the country that it goes to, and how many go to each.
 *
 *     printf 'ann,AT\nbob,BE\n' > users.csv
 *     echo 'bob book' | ./table_join users.csv
 */
#include <beck/beck.h>

#include <stdio.h>

/* The first two words of a line; other lines are left out, as a stream's data is as it comes. */
static void two_words(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), first, second;

    if (beck_next_token(&rest, ", ", &first) && beck_next_token(&rest, ", ", &second))
        beck_emit(c, first, second);
}

/* (article, country) -> (country, 1); an unknown user's country is null, which is a key, too. */
static void by_country(beck_call *c, beck_row order)
{
    beck_emit(c, beck_cell(order, 2), 1);
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("table_join", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    if (argc < 2) {
        fprintf(stderr, "usage: table_join USERS_FILE\n");
        beck_context_free(ctx);
        return 1;
    }
    beck_rdd *users =
        beck_flat_map(beck_text_file(ctx, argv[1]), "user STRING, country STRING", two_words);
    beck_dstream *orders =
        beck_flat_map(beck_stdin_stream(ctx), "user STRING, article STRING", two_words);

    /* The table stays as it is, so it can stand beside the stream. One that changes from batch to
     * batch is beck_transform's. */
    beck_dstream *sent = beck_left_outer_join(orders, users);
    beck_print(sent);
    beck_print(
        beck_reduce_by_key(beck_map(sent, "country STRING, n BIGINT", by_country), beck_sum));
    return beck_run(ctx);
}
