// SPDX-License-Identifier: MIT
/*
 * cmd_run.c - millrace run: the pipeline and its console, until a signal or an end of its own.
 *
 *   SIGTERM, SIGINT   drain: sources stop, what they gave is made durable and committed, exit 0
 *   a second one      end at once; a restart resumes from the durable log
 *
 * Signals are blocked in every thread and waited for here, so no handler runs in the middle of
 * anything; only while draining does a second signal get one, which ends the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "console.h"
#include "crash_point.h"
#include "load.h"
#include "log.h"
#include "pipeline.h"
#include "run_backend.h"
#include "status_text.h"

#define LOOK_MS              200  /* between looks at the pipeline */
#define LINE_MS              1000 /* between status lines on a terminal */
#define LINE_MS_ELSEWHERE    10000
#define LINE_BYTES_MAX       400
#define CRASH_POINT_VARIABLE "MILLRACE_CRASH_POINT" /* tests; see crash_point.h */
#define CLEAR_TO_LINE_END    "\033[K"

struct run_flags {
    const char *config;
    bool status_line;
    uint64_t drain_ms;
    const char *log_file;
    unsigned log_level; /* enum mr_log_level */
};

static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};

static const struct mr_option run_flags[] = {
    {
        .name = "config",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct run_flags, config),
        .required = true,
        .help = "the configuration file",
    },
    {
        .name = "status_line",
        .type = MR_OPT_BOOL,
        .offset = offsetof(struct run_flags, status_line),
        .fallback = "false",
        .help = "keeps a line with rows/s, lag and totals moving on standard output",
    },
    {
        .name = "drain",
        .type = MR_OPT_DURATION_MS,
        .offset = offsetof(struct run_flags, drain_ms),
        .fallback = "30s",
        .max = 3600000,
        .help = "time that a stop takes at most to commit what was received",
    },
    {
        .name = "log_file",
        .type = MR_OPT_STRING,
        .offset = offsetof(struct run_flags, log_file),
        .help = "appends the log to a file instead of standard error",
    },
    {
        .name = "log_level",
        .type = MR_OPT_CHOICE,
        .offset = offsetof(struct run_flags, log_level),
        .fallback = "info",
        .choices = log_levels,
        .help = "the least that is logged",
    },
    {0},
};

static void end_at_once(int signal_number)
{
    (void)signal_number;
    _exit(MR_EXIT_INTERNAL);
}

static void fill_signals(sigset_t *signals)
{
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGTERM);
}

/* Before any thread is made: they all inherit the mask. */
static void block_signals(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t signals;

    fill_signals(&signals);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static void let_second_signal_end(void)
{
    const struct sigaction action = {.sa_handler = end_at_once};
    sigset_t signals;

    fill_signals(&signals);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

/* Waits LOOK_MS for a signal; its number, or 0. */
static int wait_signal(void)
{
    const struct timespec wait = {.tv_nsec = LOOK_MS * 1000000L};
    sigset_t signals;

    fill_signals(&signals);
    const int number = sigtimedwait(&signals, NULL, &wait);
    MR_ASSERT(number > 0 || errno == EAGAIN || errno == EINTR);
    return number > 0 ? number : 0;
}

static bool configure_log(const struct run_flags *flags, struct mr_error *err)
{
    MR_ASSERT(flags->log_level <= MR_LOG_ERROR);

    int fd = STDERR_FILENO;

    if (flags->log_file != NULL) {
        fd = mr_env_posix.open(&mr_env_posix, MR_ENV_CWD, flags->log_file,
                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (fd < 0) {
            mr_fail_errno(err, "--log-file \"%s\"", flags->log_file);
            err->code = MR_E_CONFIG;
            return false;
        }
    }
    mr_log_configure(fd, (enum mr_log_level)flags->log_level);
    return true;
}

/* ---- The line that moves. ---- */

struct line_state {
    struct mr_status_line previous;
    bool is_terminal;
    uint64_t next_ms;
};

static void show_line(struct mr_pipeline *pipeline, struct line_state *state)
{
    MR_ASSERT(pipeline != NULL && state != NULL);

    const uint64_t now_ms = mr_env_posix.monotonic_ns(&mr_env_posix) / 1000000;
    struct mr_json text = {0};
    char line[LINE_BYTES_MAX];

    if (now_ms < state->next_ms) {
        return;
    }
    state->next_ms = now_ms + (state->is_terminal ? LINE_MS : LINE_MS_ELSEWHERE);
    mr_pipeline_status(pipeline, &text);
    json_t *status = json_loadb(text.text, text.length, 0, NULL);
    if (status != NULL) {
        mr_status_text_line(&state->previous, status, now_ms, line, sizeof(line));
        (void)printf(state->is_terminal ? "\r%s" CLEAR_TO_LINE_END : "%s\n", line);
        (void)fflush(stdout);
    }
    json_decref(status);
    mr_json_done(&text);
}

static void watch(struct mr_pipeline *pipeline, const struct run_flags *flags)
{
    struct line_state state = {.is_terminal = isatty(STDOUT_FILENO) != 0};

    while (mr_pipeline_is_running(pipeline)) {
        const int number = wait_signal();
        if (number != 0) {
            mr_log(MR_LOG_INFO, "run.stopping",
                   MR_LOG_S("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
            break;
        }
        mr_pipeline_tick(pipeline);
        if (flags->status_line) {
            show_line(pipeline, &state);
        }
    }
    if (flags->status_line && state.is_terminal) {
        (void)printf("\n");
    }
}

/* ---- The run. ---- */

static struct mr_console *open_console(const struct mr_pipeline_config *config,
                                       const struct mr_console_backend *backend,
                                       struct mr_error *err)
{
    MR_ASSERT(mr_cli_has_console(config));

    const struct mr_console_settings settings = mr_cli_console_settings(config);
    struct mr_console *console = mr_console_open(&settings, backend, err);

    if (console != NULL) {
        mr_log(MR_LOG_INFO, "console.opened", MR_LOG_S("listen", config->console.listen),
               MR_LOG_I("port", mr_console_port(console)),
               MR_LOG_S("access", settings.token != NULL     ? "token"
                                  : settings.open_to_network ? "everybody"
                                                             : "loopback"));
    }
    return console;
}

static enum mr_exit run_pipeline(const struct mr_pipeline_config *config,
                                 const struct run_flags *flags, struct mr_error *err)
{
    enum mr_exit code = MR_EXIT_INTERNAL;
    struct mr_console *console = NULL;
    struct mr_pipeline *pipeline = mr_pipeline_open(config, &mr_env_posix, &code, err);

    if (pipeline == NULL) {
        MR_ASSERT(code != MR_EXIT_DONE);
        return code;
    }
    struct mr_run run = {.pipeline = pipeline,
                         .dashboards = mr_dashboards_open(pipeline, config, &mr_env_posix)};
    const struct mr_console_backend backend = mr_run_backend(&run);
    if (mr_cli_has_console(config)) {
        console = open_console(config, &backend, err);
        if (console == NULL) {
            mr_dashboards_close(run.dashboards);
            mr_pipeline_close(pipeline);
            return MR_EXIT_CONFIG;
        }
    }
    mr_pipeline_start(pipeline);
    watch(pipeline, flags);
    let_second_signal_end();
    code = mr_pipeline_stop(pipeline, flags->drain_ms, err);
    mr_console_close(console);
    mr_dashboards_close(run.dashboards);
    mr_pipeline_close(pipeline);
    mr_log(MR_LOG_INFO, "run.ended", MR_LOG_I("exit_code", code));
    return code;
}

static int run_run(const void *options, const struct mr_arguments *arguments)
{
    MR_ASSERT(arguments->count == 0);

    const struct run_flags *flags = options;
    struct mr_pipeline_config config;
    struct mr_error err = {0};

    (void)arguments;
    if (!mr_cli_load(&config, flags->config, &err)) {
        mr_cli_complain(&err);
        return MR_EXIT_CONFIG;
    }
    enum mr_exit code = MR_EXIT_CONFIG;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread has started */
    if (!mr_crash_point_arm(getenv(CRASH_POINT_VARIABLE))) {
        (void)fprintf(stderr, "millrace: " CRASH_POINT_VARIABLE " names no crash point\n");
        mr_pipeline_config_done(&config);
        return MR_EXIT_CONFIG;
    }
    const struct mr_console_settings settings = mr_cli_console_settings(&config);
    if ((!mr_cli_has_console(&config) || mr_console_check_settings(&settings, &err)) &&
        configure_log(flags, &err)) {
        block_signals();
        code = run_pipeline(&config, flags, &err);
    }
    if (code != MR_EXIT_DONE && err.code != MR_OK) {
        mr_cli_complain(&err);
    }
    mr_pipeline_config_done(&config);
    return (int)code;
}

const struct mr_command mr_command_run = {
    .name = "run",
    .usage = "-c FILE [--status-line]",
    .summary = "runs the pipeline until SIGTERM or SIGINT; drains, commits, and exits 0",
    .details = "A second signal ends it at once: nothing is lost, the next run resumes from the "
               "durable log. MILLRACE_CONSOLE_INSECURE=1 lets console.listen be any address "
               "without console.token; see docs/API.md, \"Who may ask\".",
    .options = run_flags,
    .config_size = sizeof(struct run_flags),
    .run = run_run,
};
