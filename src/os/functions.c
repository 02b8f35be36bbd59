/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.c - functions as data: (module, offset) instead of an address, so that another process
 * of the same executable finds them wherever it was loaded.
 *
 * The table of modules is immutable and published through an atomic pointer: lookups take no lock.
 * What is unknown makes a fresh table, if the loader has loaded or unloaded something since. Old
 * tables stay, as readers may still look at them; they are small and few. A module that was
 * unloaded stays known until then: do not unload what has given functions to a running program.
 */
#define _GNU_SOURCE
#include "os/hash.h"
#include "os/real.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>

#define MODULES_MAX 1024

struct module {
    uintptr_t from, to; /* addresses */
    uintptr_t base;     /* what the loader added */
    uint64_t id;
};

struct table {
    struct table *older;
    unsigned long long added, removed; /* the loader's counters */
    size_t count;
    struct module modules[];
};

static _Atomic(struct table *) newest;
static pthread_mutex_t refresh_mutex = PTHREAD_MUTEX_INITIALIZER;

/* The build id in a segment of notes, or 0. */
static uint64_t build_id(const uint8_t *notes, size_t size, size_t align)
{
    size_t at = 0;
    while (size >= sizeof(ElfW(Nhdr)) && at <= size - sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, notes + at, sizeof note);
        size_t name = at + sizeof note;
        size_t data = name + ((note.n_namesz + align - 1) & ~(align - 1));
        at = data + ((note.n_descsz + align - 1) & ~(align - 1));
        if (data > size || note.n_descsz > size - data)
            return 0;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(notes + name, "GNU", 4))
            return beck__os_hash(1, notes + data, note.n_descsz);
    }
    return 0;
}

/* Never 0. */
static uint64_t id_of(const struct dl_phdr_info *info)
{
    uint64_t id = 0;
    const ElfW(Phdr) *text = NULL;
    for (int i = 0; i < info->dlpi_phnum && !id; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const void *data = (const void *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type == PT_NOTE)
            id = build_id(data, segment->p_memsz, segment->p_align == 8 ? 8 : 4);
        if (segment->p_type == PT_LOAD &&
            (segment->p_flags & (PF_X | PF_R | PF_W)) == (PF_X | PF_R))
            text = segment;
    }
    if (!id && text)
        id = beck__os_hash(2, (const void *)(info->dlpi_addr + text->p_vaddr), text->p_filesz);
    return id ? id : 1;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    struct table *table = user;
    struct module module = {.from = UINTPTR_MAX, .base = info->dlpi_addr};
    table->added = info->dlpi_adds;
    table->removed = info->dlpi_subs;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type != PT_LOAD)
            continue;
        if (from < module.from)
            module.from = from;
        if (from + segment->p_memsz > module.to)
            module.to = from + segment->p_memsz;
    }
    if (module.from >= module.to || table->count == MODULES_MAX)
        return 0;
    module.id = id_of(info);
    table->modules[table->count++] = module;
    return 0;
}

static int read_counters(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    struct table *table = user;
    table->added = info->dlpi_adds;
    table->removed = info->dlpi_subs;
    return 1;
}

/* A table newer than `seen`, or NULL if nothing has changed or there is no memory. */
static const struct table *refresh(const struct table *seen)
{
    struct table now = {0};
    pthread_mutex_lock(&refresh_mutex);
    struct table *table = atomic_load(&newest);
    dl_iterate_phdr(read_counters, &now);
    if (!table || table->added != now.added || table->removed != now.removed) {
        /* not from os->memory: it lives as long as the process */
        struct table *all = calloc(1, sizeof *all + MODULES_MAX * sizeof *all->modules);
        if (all)
            dl_iterate_phdr(add_module, all);
        size_t size = all ? sizeof *all + all->count * sizeof *all->modules : 0;
        struct table *fitted = all ? realloc(all, size) : NULL;
        all = fitted ? fitted : all;
        if (all) {
            all->older = table;
            atomic_store(&newest, all);
            table = all;
        }
    }
    pthread_mutex_unlock(&refresh_mutex);
    return table == seen ? NULL : table;
}

static const struct module *module_at(const struct table *table, uintptr_t address)
{
    for (size_t i = 0; table && i < table->count; i++)
        if (address >= table->modules[i].from && address < table->modules[i].to)
            return &table->modules[i];
    return NULL;
}

static const struct module *module_with(const struct table *table, uint64_t id)
{
    for (size_t i = 0; table && i < table->count; i++)
        if (table->modules[i].id == id)
            return &table->modules[i];
    return NULL;
}

static struct function_id function_id(struct os *os, const void *pointer)
{
    (void)os;
    uintptr_t address = (uintptr_t)pointer;
    const struct table *table = atomic_load_explicit(&newest, memory_order_acquire);
    const struct module *module = module_at(table, address);
    if (!module && address) {
        table = refresh(table);
        module = module_at(table, address);
    }
    if (!module)
        return (struct function_id){.module = 0, .offset = address};
    return (struct function_id){.module = module->id, .offset = address - module->base};
}

static void *function_of(struct os *os, struct function_id id)
{
    (void)os;
    if (!id.module)
        return (void *)(uintptr_t)id.offset;
    const struct table *table = atomic_load_explicit(&newest, memory_order_acquire);
    const struct module *module = module_with(table, id.module);
    if (!module) {
        table = refresh(table);
        module = module_with(table, id.module);
    }
    if (!module)
        return NULL;
    uintptr_t address = module->base + (uintptr_t)id.offset;
    return address >= module->from && address < module->to ? (void *)address : NULL;
}

void beck__real_functions(struct os *os)
{
    os->function_id = function_id;
    os->function_of = function_of;
}
