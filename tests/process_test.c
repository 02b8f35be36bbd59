/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole programs as processes of their own: the examples against a real server, signals, exit
 * codes. They are watched through what they print; nothing here waits for a clock.
 */
#define _GNU_SOURCE
#include "driver/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a child and what it prints -------------------------------------------------------------- */

struct child {
    pid_t pid;
    int in, out;
    struct text said; /* standard output and error */
};

/* A program in the folder of this build; "examples/word_count". */
static const char *built(const char *name)
{
    static char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 100);

    assert_true(size > 0);
    path[size] = 0;
    for (int i = 0; i < 3; i++) /* tests/whole/process_test */
        *strrchr(path, '/') = 0;
    strcat(path, "/");
    return strcat(path, name);
}

static void run_in_child(const char *program, char *const argv[], const int in[2], const int out[2])
{
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(out[1], 2);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
    execv(program, argv);
    _exit(127);
}

static struct child start(const char *program, char *const argv[])
{
    struct child child = {.said = {.memory = &beck__os_real()->memory}};
    int in[2], out[2];

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(NULL);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0)
        run_in_child(program, argv, in, out);
    close(in[0]);
    close(out[1]);
    child.in = in[1];
    child.out = out[0];
    return child;
}

/* Reads on; false at the end. */
static bool listen_to(struct child *child)
{
    char piece[1000];
    ssize_t got = read(child->out, piece, sizeof piece);

    if (got > 0)
        beck__text_append(&child->said, piece, (size_t)got);
    return got > 0;
}

static void wait_for(struct child *child, const char *text)
{
    while (!strstr(beck__text_get(&child->said), text))
        if (!listen_to(child)) {
            print_error("it ended without \"%s\":\n%s\n", text, beck__text_get(&child->said));
            fail();
        }
}

/* Its exit code, or -signal; all it says is in child->said. */
static int wait_for_end(struct child *child)
{
    int status;

    while (listen_to(child)) {
    }
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close(child->in);
    close(child->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void child_deinit(struct child *child)
{
    beck__text_deinit(&child->said);
}

/* ---- examples -------------------------------------------------------------------------------- */

static int run_example(const char *name, char *const argv[], struct child *child)
{
    char path[64];

    snprintf(path, sizeof path, "examples/%s", name);
    *child = start(built(path), argv);
    return wait_for_end(child);
}

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

/* ---- a real server, and Ctrl-C ----------------------------------------------------------------
 */

struct server {
    struct os *os;
    struct os_socket *listener, *client;
    struct os_poller *poller;
    int port;
};

static void server_open(struct server *s)
{
    struct error error = {0};

    s->os = beck__os_real();
    s->poller = s->os->poller_new(s->os);
    assert_ok(s->os->listen(s->os, "localhost", 0, &s->listener, &s->port, &error), error);
}

static void server_send(struct server *s, const char *text)
{
    struct os_wait wait = {.socket = s->listener, .read = true};
    size_t sent = 0;

    while (!s->client)
        if (s->os->accept(s->os, s->listener, &s->client, NULL) == BECK_AGAIN)
            s->os->poller_wait(s->os, s->poller, &wait, 1, -1);
    assert_int_equal(s->os->send(s->os, s->client, text, strlen(text), &sent, -1, NULL), BECK_OK);
    assert_int_equal(sent, strlen(text));
}

static void server_close(struct server *s)
{
    s->os->shut(s->os, s->client);
    s->os->shut(s->os, s->listener);
    s->os->poller_free(s->os, s->poller);
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

/* ---- a batch that runs when the signal comes: this program as its own child --------------------
 */

static void hold_on(beck_call *c, beck_rdd *rdd)
{
    char byte;

    (void)rdd;
    dprintf(1, "batch %lld begins\n", (long long)beck_batch_time(c) % 1000000);
    if (read(0, &byte, 1) != 1)
        dprintf(1, "nobody is there\n");
    dprintf(1, "batch ends\n");
}

/* Every batch waits for a byte of standard input. */
static int slow_program(void)
{
    beck_context *ctx = beck_context_new("slow", .batch_ms = 1);
    beck_dstream *in = beck_queue_stream(ctx, "n BIGINT");

    beck_foreach_rdd(in, hold_on);
    int code = beck_run(ctx);
    dprintf(1, "code %d\n", code);
    return code;
}

static void send_byte(const struct child *child)
{
    assert_true(write(child->in, "x", 1) == 1 || errno == EPIPE);
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

/* A byte for every batch that has begun, until the program ends. */
static void feed(struct child *child, size_t bytes)
{
    do
        for (; bytes < times(beck__text_get(&child->said), " begins\n"); bytes++)
            send_byte(child);
    while (listen_to(child));
}

static void assert_finished(struct child *child)
{
    assert_int_equal(wait_for_end(child), 0);
    const char *said = beck__text_get(&child->said);
    assert_int_equal(times(said, " begins\n"), times(said, "batch ends\n"));
    assert_contains(said, "code 0\n");
    assert_null(strstr(said, "nobody"));
    child_deinit(child);
}

static void a_batch_that_runs_is_finished(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    char *argv[] = {"process_test", "--slow", NULL};

    (void)state;
    signal(SIGPIPE, SIG_IGN); /* the last byte may come too late */
    for (int i = 0; i < 2; i++) {
        struct child child = start(built("tests/whole/process_test"), argv);
        wait_for(&child, " begins\n");
        kill(child.pid, signals[i]);
        feed(&child, 0); /* those that wait already are done as well */
        assert_finished(&child);
    }
}

static void two_signals_end_it_too(void **state)
{
    char *argv[] = {"process_test", "--slow", NULL};
    struct child child = start(built("tests/whole/process_test"), argv);

    (void)state;
    wait_for(&child, " begins\n");
    kill(child.pid, SIGINT);
    kill(child.pid, SIGTERM);
    feed(&child, 0);
    assert_finished(&child);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        test(word_count_counts_words),       test(wrong_arguments_end_with_a_message),
        test(pages_are_printed_by_examples), test(an_interrupt_ends_the_word_count_gracefully),
        test(a_batch_that_runs_is_finished), test(two_signals_end_it_too),
        test(a_directory_is_watched),
    };

    if (argc > 1 && strcmp(argv[1], "--slow") == 0)
        return slow_program();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
