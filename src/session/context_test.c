/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context_test - where options come from and which wins, what a context gives back, what sticks.
 */
#define _GNU_SOURCE
#include "session/testing.h"

static void test_precedence(void **state)
{
    char folder[256], path[300];
    (void)state;
    temporary(folder, sizeof folder);
    const char *conf = "# a comment\ndriver.batch = 3s\nengine.partitions = 5\n";
    write_text(folder, "beck.conf", conf, strlen(conf));
    snprintf(path, sizeof path, "--conf-file=%s/beck.conf", folder);

    beck_context *ctx = test_context(.batch_ms = 7000, .partitions = 9);
    assert_int_equal(ctx->batch_ms, 7000); /* the program's own */
    assert_int_equal(ctx->life.graph.partitions, 9);
    beck_context_free(ctx);

    char *file[] = {(char *)"test", path, NULL};
    ctx = test_context(.batch_ms = 7000, .argc = 2, .argv = file);
    assert_int_equal(ctx->batch_ms, 3000); /* the file wins over it */
    assert_int_equal(ctx->life.graph.partitions, 5);
    beck_context_free(ctx);

    setenv("BECK_BATCH", "2s", 1);
    ctx = test_context(.batch_ms = 7000, .argc = 2, .argv = file);
    assert_int_equal(ctx->batch_ms, 2000); /* the environment over the file */
    beck_context_free(ctx);

    char *argv[] = {(char *)"test", path, (char *)"--batch", (char *)"500ms", NULL};
    ctx = test_context(.batch_ms = 7000, .argc = 4, .argv = argv);
    assert_int_equal(ctx->batch_ms, 500); /* the command line over all */
    assert_int_equal(beck_error(ctx), BECK_OK);
    beck_context_free(ctx);
    unsetenv("BECK_BATCH");
    remove_all(folder);
}

static void count_strays(void *user, beck_log_level level, const char *text)
{
    int *said = user;

    assert_int_equal(level, BECK_LOG_WARNING);
    *said +=
        strstr(text, "BECK_MASTR is no option and is ignored; did you mean BECK_MASTER?") != NULL;
}

static void test_stray_variable(void **state)
{
    int said = 0;

    (void)state;
    setenv("BECK_MASTR", "local[1]", 1);
    beck_context_free(beck_context_new("test", .log = count_strays, .log_user = &said));
    unsetenv("BECK_MASTR");
    assert_int_equal(said, 1);
}

static void test_arguments(void **state)
{
    char *argv[] = {(char *)"prog", (char *)"one", (char *)"--master", (char *)"local[3]",
                    (char *)"two",  (char *)"--",  (char *)"--three",  NULL};
    int argc = 7;
    (void)state;

    beck_context *ctx = test_context(.argc = argc, .argv = argv);
    char **rest = beck_args(ctx, &argc);
    assert_int_equal(argc, 4);
    assert_string_equal(rest[0], "prog");
    assert_string_equal(rest[1], "one");
    assert_string_equal(rest[2], "two");
    assert_string_equal(rest[3], "--three");
    assert_null(rest[4]);
    assert_string_equal(beck__settings_text(ctx->settings, OPTION_MASTER), "local[3]");
    beck_context_free(ctx);
}

static void bad_option(const char *option, const char *part)
{
    char *argv[] = {(char *)"prog", (char *)(uintptr_t)option, NULL};
    beck_context *ctx = test_context(.argc = 2, .argv = argv);

    assert_int_not_equal(beck_error(ctx), BECK_OK);
    if (!strstr(beck_error_text(ctx), part))
        fail_msg("\"%s\" is not in \"%s\"", part, beck_error_text(ctx));
    assert_int_equal(beck_start(ctx), beck_error(ctx)); /* it sticks */
    beck_context_free(ctx);
}

static void test_bad_options(void **state)
{
    (void)state;
    bad_option("--bacth=1s", "did you mean \"--batch\"");
    bad_option("--batch=soon", "soon");
    bad_option("--batch=0", "batch");
    bad_option("--master=yarn", "yarn");
    bad_option("--conf=engine.atempts=3", "engine.attempts");
    bad_option("--conf-file=/nonexistent/beck.conf", "/nonexistent/beck.conf");
}

static void test_not_in_this_version(void **state)
{
    (void)state;
    beck_context *ctx = test_context(.checkpoint = "/tmp/x");
    assert_int_equal(beck_error(ctx), BECK_UNSUPPORTED);
    assert_non_null(strstr(beck_error_text(ctx), ".checkpoint"));
    beck_context_free(ctx);

    ctx = test_context(.batch_ms = -1);
    assert_int_equal(beck_error(ctx), BECK_INVALID);
    beck_context_free(ctx);
}

static void test_many_contexts(void **state)
{
    beck_context *contexts[8];
    (void)state;

    for (int i = 0; i < 8; i++)
        contexts[i] = test_context(.master = "local[2]");
    for (int i = 0; i < 8; i++)
        assert_int_equal(beck_count(numbers(contexts[i], 0, 100 + (size_t)i, 3)), 100 + i);
    for (int i = 7; i >= 0; i--)
        beck_context_free(contexts[i]);
    beck_context_free(NULL);
}

/* A small program in which each allocation fails in turn: an error or success, never a crash. */
static void test_out_of_memory(void **state)
{
    struct os *os = beck__os_real();
    bool done = false;
    (void)state;

    for (uint64_t n = 1; !done && n < 2000; n++) {
        beck__os_memory_fail(os, n, false);
        beck_context *ctx = test_context(.master = "local[1]", .batch_ms = 1000);
        int64_t count = -1;
        if (ctx)
            count = beck_count(beck_repartition(numbers(ctx, 0, 50, 2), 3));
        assert_true(count == 50 || count == -1);
        if (ctx && count < 0)
            assert_int_not_equal(beck_error(ctx), BECK_OK);
        beck_context_free(ctx);
        beck__os_memory_fail(os, 0, false);
        done = count == 50 && n > 300;
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),          cmocka_unit_test(test_stray_variable),
        cmocka_unit_test(test_arguments),           cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_not_in_this_version), cmocka_unit_test(test_many_contexts),
        cmocka_unit_test(test_out_of_memory),
    };
    beck__engine_worker(beck__os_real());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
