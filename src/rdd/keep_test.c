/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that stay: levels, the node on top, and its holding, which all instances share. */
#include "rdd/testing.h"

#include "engine/testing.h"

static const beck_persist_args memory = {.level = BECK_MEMORY_ONLY, SITE};

static void every_level_has_a_name_and_a_place(void **state)
{
    (void)state;
    for (int level = BECK_MEMORY_ONLY; level <= BECK_MEMORY_AND_DISK_SER_2; level++) {
        const char *name = beck__level_name((beck_storage_level)level);
        unsigned storage = beck__level_storage((beck_storage_level)level);
        assert_int_equal(strstr(name, "MEMORY") != NULL, (storage & STORAGE_MEMORY) != 0);
        assert_int_equal(strstr(name, "DISK") != NULL, (storage & STORAGE_DISK) != 0);
        assert_int_equal(strstr(name, "SER") != NULL, (storage & STORAGE_ENCODED) != 0);
        assert_int_equal(strstr(name, "_2") != NULL, beck__level_twice((beck_storage_level)level));
    }
    assert_null(beck__level_name(BECK_STORAGE_DEFAULT));
    assert_null(beck__level_name((beck_storage_level)11));
    assert_null(beck__level_name((beck_storage_level)-1));
}

static void it_stands_on_top(void **state)
{
    struct fixture *f = *state;
    struct text text = {.memory = f->arena.memory};
    struct node *lines = source(f, "line STRING");
    struct node *kept = beck__node_persist(&f->graph, NULL, lines, &memory);

    assert_int_equal(kept->kind, NODE_KEEP);
    assert_ptr_equal(kept->parents[0], lines);
    assert_string_equal(schema_of(f, kept), "line STRING");
    beck__node_print(kept, &text);
    assert_string_equal(beck__text_get(&text), "persist at wc.c:17  MEMORY_ONLY  (line STRING)");
    beck__text_deinit(&text);
    assert_ptr_equal(beck__node_persist(&f->graph, NULL, kept, &memory), kept);
    assert_error(
        f,
        beck__node_persist(&f->graph, NULL, kept, &(const beck_persist_args){BECK_DISK_ONLY, SITE}),
        BECK_STATE, "cannot become DISK_ONLY");
    assert_error(f,
                 beck__node_persist(&f->graph, NULL, lines,
                                    &(const beck_persist_args){(beck_storage_level)50, SITE}),
                 BECK_INVALID, "no storage level 50");
    assert_null(beck__node_persist(&f->graph, NULL, NULL, &memory));
}

/* A source that is looked at again, and has other partitions, is not held. */
static void other_partitions_are_not_held(void **state)
{
    struct fixture *f = *state;
    struct lab lab;
    struct node *lines = source(f, PAIR);
    struct node *kept = beck__node_persist(&f->graph, NULL, lines, &memory);
    struct dataset *source, *made[3];

    lab_open(&lab, lab_options(1));
    for (uint32_t i = 0; i < 3; i++) {
        struct stamp stamp = {.engine = lab.engine,
                              .scope = lab.scope,
                              .arena = &f->arena,
                              .sources = &source,
                              .source_count = 1};
        source = lab_numbers(&lab, i == 1 ? 3 : 2, 10);
        assert_int_equal(beck__node_dataset(&stamp, kept, &made[i], &f->error), BECK_OK);
        assert_int_equal(made[i] == source, i == 1);
    }
    lab_run(&lab, made[0], NULL);
    assert_int_equal(lab.engine->hold_rows(kept->holding->hold), 20);
    beck__node_unpersist(lab.engine, kept);
    assert_int_equal(lab.engine->hold_rows(kept->holding->hold), 0);
    lab_run(&lab, made[2], NULL);
    beck__node_persist(&f->graph, lab.engine, kept, &memory);
    lab_run(&lab, made[2], NULL);
    assert_int_equal(lab.engine->hold_rows(kept->holding->hold), 20);
    beck__node_unpersist(lab.engine, lines); /* nothing to do */
    beck__holdings_free(&f->graph, lab.engine);
    lab_close(&lab);
}

static void no_memory(void **state)
{
    struct fixture *f = *state;
    struct node *lines = source(f, PAIR);
    struct node *kept = NULL;

    for (uint64_t n = 1; !kept; n++) {
        beck__arena_reset(&f->arena);
        f->arena.first = 1; /* each piece for itself */
        lines = source(f, PAIR);
        beck__os_memory_fail(beck__os_real(), n, false);
        kept = beck__node_persist(&f->graph, NULL, lines, &memory);
        beck__os_memory_fail(beck__os_real(), 0, false);
        if (!kept)
            assert_error(f, kept, BECK_NO_MEMORY, "");
        if (n == 50)
            break;
    }
    assert_non_null(kept);
}

#define fixture_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_has_a_name_and_a_place),
        fixture_test(it_stands_on_top),
        fixture_test(other_partitions_are_not_held),
        fixture_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
