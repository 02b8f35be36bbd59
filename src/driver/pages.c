/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --help and --describe print. In a batch program --describe shows the actions that it kept
 * from running.
 */
#include "driver/driver.h"

/* Oldest first. */
static void print_actions(const struct described *action, struct text *out)
{
    if (!action)
        return;
    print_actions(action->older, out);
    beck__text_printf(out, "%saction: %s\n", action->older ? "\n" : "", action->what);
    beck__node_tree_print(action->node, out);
}

const char *beck_describe(beck_context *ctx)
{
    if (!ctx)
        return "";
    const struct settings *s = ctx->settings;
    struct text *out = &ctx->described;
    int threads =
        beck__master_threads(beck__settings_text(s, OPTION_MASTER), ctx->os->cpu_count(ctx->os));

    beck__text_clear(out);
    beck__text_printf(out, "%s: ", ctx->name);
    if (ctx->stream.driver)
        beck__text_printf(out,
                          ctx->event_trigger ? "batches as data comes, at least %lld ms apart, "
                                             : "batches of %lld ms, ",
                          (long long)ctx->batch_ms);
    beck__text_printf(out, "local[%d]%s\n", threads,
                      beck__settings_number(s, OPTION_ISOLATE) ? ", isolated tasks" : "");
    if (ctx->stream.driver || ctx->actions)
        beck__text_add(out, "\n");
    if (ctx->stream.driver)
        beck__streams_print(&ctx->stream.driver->streams, out);
    print_actions(ctx->actions, out);
    return beck__text_get(out);
}

void beck__driver_page(beck_context *ctx)
{
    struct text page = {.memory = &ctx->os->memory};
    const char *text;

    if (ctx->help) {
        beck__settings_help(ctx->args && ctx->args[0] ? ctx->args[0] : ctx->name, &page);
        text = beck__text_get(&page);
    } else {
        text = beck_describe(ctx);
    }
    ctx->os->print(ctx->os, 1, text, strlen(text));
    beck__text_deinit(&page);
}
