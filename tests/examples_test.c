/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The examples, each run as a user would. Input is written in one piece, so that it is one batch
 * however slow the machine is, and a program runs until it has printed what is expected.
 */
#define _GNU_SOURCE
#include "processes.h"

static void word_count_counts_words(void **state)
{
    struct folder folder = folder_new();
    const char *text = "b a b\nc b\n";
    const char *path = in_folder(&folder, "text"), *dir = in_folder(&folder, "out");
    char *print[] = {"word_count", (char *)(uintptr_t)path, "--partitions", "1", NULL};
    char *save[] = {"word_count", "--partitions=1", (char *)(uintptr_t)path, (char *)(uintptr_t)dir,
                    NULL};
    struct child child;

    (void)state;
    put_file(path, text, strlen(text));
    assert_int_equal(run_example("word_count", print, &child), 0);
    assert_string_equal(beck__text_get(&child.said), "(b,3)\n(a,1)\n(c,1)\n");
    child_deinit(&child);
    assert_int_equal(run_example("word_count", save, &child), 0);
    assert_string_equal(beck__text_get(&child.said), "");
    assert_file(in_folder(&folder, "out/part-00000"), "(b,3)\n(a,1)\n(c,1)\n");
    child_deinit(&child);
    assert_int_equal(run_example("word_count", save, &child), 1);
    assert_contains(beck__text_get(&child.said), "beck: error: ");
    assert_contains(beck__text_get(&child.said), "/out exists already; remove it");
    child_deinit(&child);
    char *absent[] = {"word_count", "/nowhere/x", NULL};
    assert_int_equal(run_example("word_count", absent, &child), 1);
    assert_contains(beck__text_get(&child.said), "/nowhere/x does not exist");
    child_deinit(&child);
    remove_all(folder.path);
}

static void wrong_arguments_end_with_a_message(void **state)
{
    static const struct {
        char *argv[4];
        const char *text;
    } cases[] = {
        {{"network_word_count", "localhost", "99x9"}, "\"99x9\""},
        {{"network_word_count", "localhost", "0"}, "from 1 to 65535"},
        {{"network_word_count", "localhost", "65536"}, "from 1 to 65535"},
        {{"network_word_count", "localhost", "-1"}, "from 1 to 65535"},
        {{"network_word_count", "--bacth", "1s"}, "--batch"},
        {{"network_word_count", "--batch=0"}, "batch"},
    };

    (void)state;
    for (size_t i = 0; i < BECK__COUNT_OF(cases); i++) {
        struct child child;
        assert_int_equal(run_example("network_word_count", cases[i].argv, &child), 1);
        assert_contains(beck__text_get(&child.said), cases[i].text);
        assert_null(strstr(beck__text_get(&child.said), "ERROR: ")); /* of a sanitizer */
        child_deinit(&child);
    }
}

static void pages_are_printed_by_examples(void **state)
{
    char *help[] = {"network_word_count", "--help", NULL};
    char *describe[] = {"network_word_count", "--describe", NULL};
    struct child child;

    (void)state;
    assert_int_equal(run_example("network_word_count", help, &child), 0);
    assert_contains(beck__text_get(&child.said), "--master");
    child_deinit(&child);
    assert_int_equal(run_example("network_word_count", describe, &child), 0);
    assert_contains(beck__text_get(&child.said), "output 0: print at network_word_count.c:");
    child_deinit(&child);
}

static void an_interrupt_ends_the_word_count_gracefully(void **state)
{
    struct server s = {0};
    char port[16];
    char *argv[] = {"network_word_count", "localhost", port, "--batch", "50ms",
                    "--master",           "local[2]",  NULL};

    (void)state;
    server_open(&s);
    snprintf(port, sizeof port, "%d", s.port);
    struct child child = start(built("examples/network_word_count"), argv);
    server_send(&s, "to be or not to be\n");
    wait_for(&child, "(to,2)");
    server_send(&s, "that is\nthe");
    wait_for(&child, "(is,1)");
    kill(child.pid, SIGINT);
    assert_int_equal(wait_for_end(&child), 0);
    assert_contains(beck__text_get(&child.said), "(the,1)"); /* what it had of a line, too */
    assert_contains(beck__text_get(&child.said), " batches, 3 records, ");
    child_deinit(&child);
    server_close(&s);
}

/* Files that appear while it runs, and one that was there. */
static void a_directory_is_watched(void **state)
{
    struct folder folder = folder_new();
    char *argv[] = {"directory_word_count", folder.path, "--batch", "50ms", "--partitions=1", NULL};
    char *none[] = {"directory_word_count", "/nowhere/x", NULL};
    struct os *os = beck__os_real();

    (void)state;
    put_file(in_folder(&folder, "a"), "to be or not to be\n", 19);
    struct child child = start(built("examples/directory_word_count"), argv);
    wait_for(&child, "(to,2)");
    put_file(in_folder(&folder, ".b"), "that is", 7);
    os->rename(os, in_folder(&folder, ".b"), in_folder(&folder, "b"), NULL);
    wait_for(&child, "(that,1)");
    kill(child.pid, SIGINT);
    assert_int_equal(wait_for_end(&child), 0);
    assert_null(strstr(strstr(beck__text_get(&child.said), "(to,2)") + 1, "(to,2)"));
    child_deinit(&child);
    assert_int_equal(run_example("directory_word_count", none, &child), 1);
    assert_contains(beck__text_get(&child.said), "list /nowhere/x: No such file or directory");
    child_deinit(&child);
    remove_all(folder.path);
}

/* ---- streams of standard input, or of a server ----------------------------------------------- */

struct stream_case {
    const char *input;
    const char *expected[8]; /* all of them appear; the last one last */
};

/* Runs until it has printed the last of them, then ends it. */
static void assert_streams(const char *name, char *const argv[], const struct stream_case *of,
                           struct server *server)
{
    char path[64];
    const char *const *text = of->expected;

    snprintf(path, sizeof path, "examples/%s", name);
    struct child child = start(built(path), argv);
    if (server)
        server_send(server, of->input);
    else
        assert_int_equal(write(child.in, of->input, strlen(of->input)), strlen(of->input));
    for (; *text; text++)
        wait_for(&child, *text);
    kill(child.pid, SIGINT);
    assert_int_equal(wait_for_end(&child), 0);
    assert_null(strstr(beck__text_get(&child.said), "beck: "));
    assert_null(strstr(beck__text_get(&child.said), "ERROR: "));
    child_deinit(&child);
}

static void stateful_word_count_goes_on_from_known_counts(void **state)
{
    static const struct stream_case of = {"hello hello beck\n", {"(hello,3)\n(beck,1)\n"}};
    struct server s = {0};
    char port[16];
    char *argv[] = {"stateful_word_count", "localhost", port, "--batch=50ms", NULL};

    (void)state;
    server_open(&s);
    snprintf(port, sizeof port, "%d", s.port);
    assert_streams("stateful_word_count", argv, &of, &s);
    server_close(&s);
}

static void windowed_word_count_counts_the_window(void **state)
{
    static const struct stream_case of = {"to be or not to be\n",
                                          {"(be,2)\n(to,2)\n(not,1)\n(or,1)\n"}};
    struct server s = {0};
    char port[16];
    char *argv[] = {"windowed_word_count", "localhost", port, "60", "1", "--batch=50ms", NULL};

    (void)state;
    server_open(&s);
    snprintf(port, sizeof port, "%d", s.port);
    assert_streams("windowed_word_count", argv, &of, &s);
    server_close(&s);
}

static void queue_stream_ends_by_itself(void **state)
{
    char *argv[] = {"queue_stream", "2", "--batch=10ms", NULL};
    struct child child;

    (void)state;
    assert_int_equal(run_example("queue_stream", argv, &child), 0);
    const char *said = beck__text_get(&child.said);
    const char *first = strstr(said, "(0,100)\n(1,100)\n");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "\n(0,100)\n(1,100)\n"));
    child_deinit(&child);
}

static void top_hashtags_are_in_order(void **state)
{
    static const struct stream_case of = {"#b, #a and # or b#\n#b!\n#c\n",
                                          {"(#b,2)\n(#a,1)\n(#c,1)\n\n"}};
    char *argv[] = {"top_hashtags", "--batch=50ms", NULL};

    (void)state;
    assert_streams("top_hashtags", argv, &of, NULL);
}

/* The table's file is the test's. */
static void table_join_finds_countries(void **state)
{
    static const struct stream_case of = {"bob book\nann pen\nbob\nbob ink\neve book\n",
                                          {"(bob,ink,BE)\n", "(BE,2)\n"}};
    struct folder folder = folder_new();
    char *path = (char *)(uintptr_t)in_folder(&folder, "users.csv");
    char *argv[] = {"table_join", path, "--batch=50ms", "--partitions=1", NULL};
    char *none[] = {"table_join", NULL};
    struct child child;

    (void)state;
    put_file(path, "ann,AT\nbob,BE\n", 14);
    assert_streams("table_join", argv, &of, NULL);
    assert_int_equal(run_example("table_join", none, &child), 1);
    assert_contains(beck__text_get(&child.said), "usage: table_join USERS_FILE");
    child_deinit(&child);
    remove_all(folder.path);
}

static void sessions_end_when_nothing_comes(void **state)
{
    static const struct stream_case of = {"ann /a\nbob /b\nann /c\n",
                                          {"(ann,has come,1)\n", "(ann,has left,2)\n", "\n0\n"}};
    char *argv[] = {"sessions", "1", "--batch=50ms", NULL};

    (void)state;
    assert_streams("sessions", argv, &of, NULL);
}

static void page_views_are_seen_from_all_sides(void **state)
{
    static const struct stream_case of = {
        "/a 200 1 u1\n/b 404 2 u1\n/a 200 1 u2\nrubbish\n/a 500 2 u9\n/c 404 1 u1\n",
        {"  users\n-------------------------------------------\n(u1,3,ann)\n(u2,1,bob)\n\n",
         "  pages\n-------------------------------------------\n(/a,3)\n(/b,1)\n(/c,1)\n\n",
         "  "
         "errors\n-------------------------------------------\n(2,100.0)\n(1,33.333333333333336)\n",
         "  active\n-------------------------------------------\n3\n"}};
    struct folder folder = folder_new();
    char *path = (char *)(uintptr_t)in_folder(&folder, "users");
    char *argv[] = {"page_views", path, "--batch=50ms", NULL};

    (void)state;
    put_file(path, "u1 ann\nu2 bob\nu3 cy\n", 20);
    assert_streams("page_views", argv, &of, NULL);
    remove_all(folder.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(word_count_counts_words),
        test(wrong_arguments_end_with_a_message),
        test(pages_are_printed_by_examples),
        test(an_interrupt_ends_the_word_count_gracefully),
        test(a_directory_is_watched),
        test(stateful_word_count_goes_on_from_known_counts),
        test(windowed_word_count_counts_the_window),
        test(queue_stream_ends_by_itself),
        test(top_hashtags_are_in_order),
        test(table_join_finds_countries),
        test(sessions_end_when_nothing_comes),
        test(page_views_are_seen_from_all_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
