// SPDX-License-Identifier: MIT
/*
 * tidy finds each fault that it is there for, and nothing in a clean tree: every case plants one
 * file in a small tree and reads what the program says. Run as test_tidy PATH-OF-TIDY.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LICENCE      "// SPDX-License-Identifier: MIT\n"
#define TEN(text)    text text text text text text text text text text

static const char *tidy_path;

struct planted {
    const char *path;
    const char *text;
};

/* What a clean tree has: a header a layer, and a README a folder. */
static const struct planted clean_tree[] = {
    {"src/base/log.h", LICENCE},
    {"src/base/error.h", LICENCE},
    {"src/core/schema.h", LICENCE "#include \"error.h\"\n"},
    {"src/source/source.h", LICENCE "#include \"schema.h\"\n"},
    {"src/source/mysql/binlog.h", LICENCE "#include \"source.h\"\n"},
    {"src/source/postgres/wal.h", LICENCE},
    {"src/sink/sink.h", LICENCE},
    {"src/pipeline/pipeline.h", LICENCE "#include \"source.h\"\n#include \"log.h\"\n"},
    {"src/main.c", LICENCE "#include \"pipeline.h\"\n"},
    {"src/README.md", ""},
    {"src/base/README.md", ""},
    {"src/core/README.md", ""},
    {"src/source/README.md", ""},
    {"src/source/mysql/README.md", ""},
    {"src/source/postgres/README.md", ""},
    {"src/sink/README.md", ""},
    {"src/pipeline/README.md", ""},
};

static const char *const folders[] = {
    "src",      "src/base",     "src/core", "src/source", "src/source/mysql", "src/source/postgres",
    "src/sink", "src/pipeline", "src/new",  "tests",
};

static void plant(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_tree(void **state)
{
    static char root[64];
    (void)snprintf(root, sizeof(root), "%s/tidy-XXXXXX",
                   getenv("TMPDIR") != NULL && strlen(getenv("TMPDIR")) < 40 ? getenv("TMPDIR")
                                                                             : "/tmp");
    if (mkdtemp(root) == NULL || chdir(root) != 0) {
        return -1;
    }
    for (size_t i = 0; i < COUNT(folders); i++) {
        if (mkdir(folders[i], 0700) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < COUNT(clean_tree); i++) {
        plant(clean_tree[i].path, clean_tree[i].text);
    }
    *state = root;
    return 0;
}

static int remove_tree(void **state)
{
    const char *root = *state;
    for (size_t i = 0; i < COUNT(clean_tree); i++) {
        (void)unlink(clean_tree[i].path);
    }
    for (size_t i = COUNT(folders); i-- > 0;) {
        (void)rmdir(folders[i]);
    }
    return chdir("/") == 0 && rmdir(root) == 0 ? 0 : -1;
}

/* Runs tidy over the tree; its output goes to text. Returns its exit code. */
static int run_tidy(char *text, size_t size)
{
    int ends[2];
    size_t length = 0;
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)execl(tidy_path, tidy_path, "--exceptions", "exceptions", ".", (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    for (;;) {
        const ssize_t count = read(ends[0], text + length, size - 1 - length);
        assert_true(count >= 0);
        if (count == 0) {
            break;
        }
        length += (size_t)count;
    }
    text[length] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const struct fault_case {
    const char *label;
    const char *path;
    const char *text;   /* after the licence */
    const char *expect; /* part of what tidy says; NULL: nothing */
} fault_cases[] = {
    {"nothing wrong", "src/core/a.c", "#include \"error.h\"\nint f(void)\n{\n    return 0;\n}\n",
     NULL},
    {"core includes a stage", "src/core/a.c", "#include \"source.h\"\n",
     "src/core/a.c:2: include: core may not include source (source.h)"},
    {"base includes core", "src/base/a.c", "#include \"schema.h\"\n", "base may not include core"},
    {"a stage includes another", "src/sink/a.c", "#include \"source.h\"\n",
     "sink may not include source"},
    {"a stage includes the pipeline", "src/source/a.c", "#include \"pipeline.h\"\n",
     "source may not include pipeline"},
    {"a plug-in includes its neighbour", "src/source/mysql/a.c", "#include \"wal.h\"\n",
     "may not include its neighbour source/postgres"},
    {"a plug-in includes its stage", "src/source/mysql/a.c", "#include \"source.h\"\n", NULL},
    {"the pipeline includes plug-ins", "src/pipeline/a.c", "#include \"wal.h\"\n", NULL},
    {"a path in an include", "src/core/a.c", "#include \"base/error.h\"\n", "plain name"},
    {"a folder that is no layer", "src/new/a.c", "#include \"error.h\"\n",
     "new is no layer that tools/tidy knows"},
    {"a stage logs", "src/source/mysql/a.c", "#include \"log.h\"\n",
     "a.c:2: log: a stage reports errors"},
    {"two headers of one name", "src/core/wal.h", "", "a second header called wal.h"},
    {"a folder without README", "src/new/a.c", "", "src/new/README.md:1: readme"},
    {"an unbounded call", "tests/a.c", "void f(char *a)\n{\n    strcpy(a, \"x\");\n}\n",
     "tests/a.c:4: banned: strcpy()"},
    {"a call that threads must not make", "src/core/a.c", "int a = (int)rand();\n",
     "banned: rand()"},
    {"which a test may", "tests/a.c", "int a = (int)rand();\n", NULL},
    {"the system's door", "src/core/a.c", "int f(void)\n{\n    return open(\"x\", 0);\n}\n",
     "src/core/a.c:4: door: open()"},
    {"with a blank line before", "src/base/a.c", "\nint f = time(0);\n", "a.c:3: door: time()"},
    {"which env.c opens", "src/base/env.c", "int f = open(\"x\", 0);\n", NULL},
    {"members are no doors", "src/core/a.c",
     "int f = env->open(1) + ops.time(2) + s -> sleep(1);\n", NULL},
    {"names in comments and texts", "src/core/a.c",
     "/* open() */ const char *a = \"open(\\\" strcpy(\"; // time()\nint b = 'o';\n", NULL},
    {"names as parts of names", "src/core/a.c", "int f = mr_open(1) + opened(2) + open_(3);\n",
     NULL},
    {"a call inside a macro", "src/core/a.c", "#define F(a)      \\\n    strcpy(a, a)\n",
     "a.c:3: banned: strcpy()"},
    {"seven parameters", "src/core/a.c",
     "void f(int a, int b, int c, int d, int e, int g,\n       int h)\n{\n}\n",
     "a.c:4: parameters: 7; the most is 6"},
    {"six of which one is a function", "src/core/a.c",
     "void f(int a, int b, int c, int d, int e,\n       int (*g)(int, int))\n{\n}\n", NULL},
    {"attributes are no parameters", "src/core/a.c",
     "MR_X(1, 2, 3, 4, 5, 6, 7)\nvoid f(int a) MR_Y(1, 2, 3, 4, 5, 6, 7, 8)\n{\n}\n", NULL},
    {"an initialiser is no function", "src/core/a.c", "int a[] = {\n" TEN(TEN("    1,\n")) "};\n",
     NULL},
    {"a function of 71 lines", "src/core/a.c",
     "struct s {\n    int a;\n};\nint f(void)\n{\n" TEN("    x(\"{\");\n    x('}');\n    x();\n"
                                                        "    x();\n    x();\n    x();\n"
                                                        "    x();\n") "    x();\n}\n",
     "a.c:6: function-size: 71 lines; the most is 70"},
    {"one of 70", "src/core/a.c",
     "int f(void)\n{\n" TEN("    x();\n    x();\n    x();\n    x();\n    x();\n    x();\n"
                            "    x();\n") "}\n",
     NULL},
    {"a file of 801 lines", "src/core/a.c", TEN(TEN("int a;\n\n\n\n\n\n\n\n")),
     "a.c:801: file-size: 801 lines"},
    {"a long line", "src/core/a.c", "// " TEN(TEN("-")) "\n", "a.c:2: columns: 103"},
    {"characters are counted, not bytes", "src/core/a.c", "// " TEN("ééééééééé") "\n", NULL},
    {"a blank at the end", "src/core/a.c", "int a; \n", "a.c:2: blank"},
    {"a tab", "src/core/a.c", "int\ta;\n", "a.c:2: tab"},
    {"an open end", "src/core/a.c",
     "/* TO"
     "DO: later */\n",
     "a.c:2: todo"},
    {"a word that has one in it", "src/core/a.c",
     "int TO"
     "DOS;\n",
     NULL},
    {"a name that says nothing", "src/core/util.c", "", "name: util.c says nothing"},
};

static void every_fault_is_found(void **state)
{
    (void)state;
    char text[8192];
    for (size_t i = 0; i < COUNT(fault_cases); i++) {
        const struct fault_case *c = &fault_cases[i];
        FILE *file = fopen(c->path, "w");
        print_message("    %s\n", c->label);
        assert_non_null(file);
        assert_true(fprintf(file, LICENCE "%s", c->text) > 0);
        assert_int_equal(fclose(file), 0);
        const bool has_readme = strncmp(c->path, "src/new/", 8) != 0;
        const int code = run_tidy(text, sizeof(text));
        if (c->expect == NULL) {
            assert_string_equal(strstr(text, "tidy: "), text);
            assert_int_equal(code, 0);
        } else {
            assert_int_equal(code, 1);
            if (strstr(text, c->expect) == NULL) {
                fail_msg("%s instead of %s", text, c->expect);
            }
            assert_non_null(strstr(text, has_readme ? " 1 findings" : " findings"));
        }
        assert_int_equal(unlink(c->path), 0);
    }
}

static void a_missing_licence_is_found(void **state)
{
    (void)state;
    char text[8192];
    plant("src/core/a.c", "int a;\n");
    assert_int_equal(run_tidy(text, sizeof(text)), 1);
    assert_non_null(strstr(text, "src/core/a.c:1: licence"));
    assert_int_equal(unlink("src/core/a.c"), 0);
}

static void exceptions_hold_and_must_be_needed(void **state)
{
    (void)state;
    char text[8192];
    plant("src/core/a.c", LICENCE "int f = time(0);\n");
    plant("exceptions", "# why\n\nsrc/core/a.c door because it must\n");
    assert_int_equal(run_tidy(text, sizeof(text)), 0);
    plant("src/core/a.c", LICENCE "int f;\n");
    assert_int_equal(run_tidy(text, sizeof(text)), 1);
    assert_non_null(strstr(text, "exception: src/core/a.c needs none for \"door\""));
    plant("exceptions", "src/core/a.c door\n");
    assert_int_equal(run_tidy(text, sizeof(text)), 2);
    assert_int_equal(unlink("exceptions"), 0);
    assert_int_equal(unlink("src/core/a.c"), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_found),
        cmocka_unit_test(a_missing_licence_is_found),
        cmocka_unit_test(exceptions_hold_and_must_be_needed),
    };
    if (argc != 2) {
        (void)fprintf(stderr, "usage: test_tidy PATH-OF-TIDY\n");
        return 2;
    }
    tidy_path = realpath(argv[1], NULL); /* the tests change the directory */
    return tidy_path == NULL ? 2
                             : cmocka_run_group_tests_name("tidy", tests, make_tree, remove_tree);
}
