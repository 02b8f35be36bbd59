/* SPDX-License-Identifier: Apache-2.0 */
/* Functions and constants of the program and of libraries go to (module, offset) and back. */
#define _GNU_SOURCE
#include "os/testing.h"

#include <dlfcn.h>

static const int constant[4] = {1, 2, 3, 4};

static const void *address_of(void (*function)(void **))
{
    return (const void *)(uintptr_t)function;
}

static struct function_id round_trip(const void *address)
{
    struct os *os = beck__os_real();
    struct function_id id = os->function_id(os, address);
    assert_ptr_equal(os->function_of(os, id), address);
    return id;
}

static void the_program_has_one_module(void **state)
{
    (void)state;
    struct function_id a = round_trip(address_of(the_program_has_one_module));
    struct function_id b = round_trip(constant);
    struct function_id c = round_trip(&constant[1]);
    assert_true(a.module != 0);
    assert_true(a.module == b.module);
    assert_true(c.offset - b.offset == sizeof(int));
}

static void a_library_loaded_later_is_found(void **state)
{
    (void)state;
    struct function_id own = round_trip(constant);
    void *library = dlopen("libresolv.so.2", RTLD_NOW); /* libc's, used by nothing here */
    void *symbol = library ? dlsym(library, "ns_get32") : NULL;
    if (!symbol)
        skip();
    struct function_id id = round_trip(symbol);
    assert_true(id.module != 0 && id.module != own.module);
    Dl_info info;
    assert_true(dladdr(symbol, &info) != 0);
    assert_true(id.offset == (uintptr_t)symbol - (uintptr_t)info.dli_fbase);
    dlclose(library);
}

static void an_address_in_no_module_stays_one(void **state)
{
    (void)state;
    int on_stack = 0;
    char *on_heap = calloc(1, 1);
    assert_true(round_trip(on_heap).module == 0);
    assert_true(round_trip(&on_stack).module == 0);
    struct function_id none = round_trip(NULL);
    assert_true(none.module == 0 && none.offset == 0);
    free(on_heap);
}

static void what_is_unknown_gives_null(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct function_id id = round_trip(constant);
    id.offset = SIZE_MAX / 2;
    assert_null(os->function_of(os, id));
    id.module++;
    id.offset = 0;
    assert_null(os->function_of(os, id));
}

static void look_many_times(void *user)
{
    struct os *os = user;
    for (int i = 0; i < 10000; i++) {
        struct function_id id = os->function_id(os, constant + i % 4);
        assert(os->function_of(os, id) == constant + i % 4);
    }
}

static void any_thread_may_ask(void **state)
{
    (void)state;
    struct os *os = beck__os_real();
    struct os_thread *threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = os->thread_start(os, "look", look_many_times, os, NULL);
    for (int i = 0; i < 3; i++)
        os->thread_join(os, threads[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(any_thread_may_ask), /* first: the table is made by the threads */
        test(the_program_has_one_module),
        test(a_library_loaded_later_is_found),
        test(an_address_in_no_module_stays_one),
        test(what_is_unknown_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
