/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens on a site, from the requests on standard input, lines of "URL STATUS ZIP USER":
 *
 *     pages    views of each page in the last 30 seconds
 *     errors   share of requests that failed, for each zip code, in the last 30 seconds
 *     active   number of users seen in the last 15 seconds
 *     users    who is there: requests in this batch, and names, from a file of "USER NAME"
 *
 * page_views USERS_FILE [VIEW...] shows these views, or all. Requests to try it with, without end:
 *
 *     awk 'BEGIN { while (1) print "/page" int(rand() * 4), rand() < 0.9 ? 200 : 404, 94117 + \
 *                  int(rand() * 3), "u" int(rand() * 100) }' | ./page_views users
 */
#include <beck/beck.h>

#include <stdio.h>
#include <string.h>

enum { URL, STATUS, ZIP, USER, COLUMNS };

static void request(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), word[COLUMNS];

    for (int i = 0; i < COLUMNS; i++)
        if (!beck_next_token(&rest, " ", &word[i]))
            return; /* not a request */
    beck_emit(c, word[URL], word[STATUS], word[ZIP], word[USER]);
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void url(beck_call *c, beck_row request)
{
    beck_emit(c, beck_get_string(request, URL));
}

static void show_pages(beck_dstream *requests)
{
    beck_dstream *urls = beck_map(requests, "url STRING", url);
    beck_dstream *views =
        beck_count_by_value_and_window(urls, .window_ms = 30000, .slide_ms = 1000);

    beck_print(beck_sort_by(views, "count DESC, url"), .name = "pages");
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* The share of failures is the mean of 100 for each that failed and 0 for the others. */
static void failure(beck_call *c, beck_row request)
{
    char status = beck_get_string(request, STATUS).data[0];

    beck_emit(c, beck_get_string(request, ZIP), status == '4' || status == '5' ? 100.0 : 0.0);
}

static void show_errors(beck_dstream *requests)
{
    beck_dstream *failures = beck_map(requests, "zip STRING, percent DOUBLE", failure);
    beck_dstream *rates =
        beck_reduce_by_key_and_window(failures, beck_avg, .window_ms = 30000, .slide_ms = 1000);

    beck_print(beck_sort_by(rates, "percent DESC, zip"), .name = "errors");
}

/* ---- active ---------------------------------------------------------------------------------- */

static void user(beck_call *c, beck_row request)
{
    beck_emit(c, beck_get_string(request, USER));
}

static void show_active(beck_dstream *requests)
{
    beck_dstream *users = beck_map(requests, "user STRING", user);
    beck_dstream *active =
        beck_count_by_value_and_window(users, .window_ms = 15000, .slide_ms = 1000);

    beck_print(beck_count(active), .name = "active");
}

/* ---- users ----------------------------------------------------------------------------------- */

static void user_and_name(beck_call *c, beck_row line)
{
    beck_str rest = beck_get_string(line, 0), user, name;

    if (beck_next_token(&rest, " ", &user) && beck_next_token(&rest, " ", &name))
        beck_emit(c, user, name);
}

/* A join wants pairs, so each user goes with the number of requests. */
static void user_once(beck_call *c, beck_row request)
{
    beck_emit(c, beck_get_string(request, USER), 1);
}

static void show_users(beck_dstream *requests, beck_rdd *names)
{
    beck_dstream *ones = beck_map(requests, "user STRING, requests BIGINT", user_once);
    beck_dstream *users = beck_reduce_by_key(ones, beck_sum);

    beck_print(beck_sort_by_key(beck_join(users, names)), .name = "users");
}

/* ---- the program ----------------------------------------------------------------------------- */

static bool wanted(const char *view, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], view) == 0)
            return true;
    return argc <= 2;
}

int main(int argc, char **argv)
{
    beck_context *ctx =
        beck_context_new("page_views", .batch_ms = 1000, .argc = argc, .argv = argv);

    argv = beck_args(ctx, &argc);
    if (argc < 2) {
        fprintf(stderr, "usage: page_views USERS_FILE [pages] [errors] [active] [users]\n");
        beck_context_free(ctx);
        return 1;
    }
    beck_dstream *requests = beck_flat_map(
        beck_stdin_stream(ctx), "url STRING, status STRING, zip STRING, user STRING", request);

    if (wanted("pages", argc, argv))
        show_pages(requests);
    if (wanted("errors", argc, argv))
        show_errors(requests);
    if (wanted("active", argc, argv))
        show_active(requests);
    if (wanted("users", argc, argv))
        show_users(requests, beck_flat_map(beck_text_file(ctx, argv[1]), "user STRING, name STRING",
                                           user_and_name));
    return beck_run(ctx);
}
