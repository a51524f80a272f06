//! Sections of the kinds `command`, `mcp` and `probe` with a mistake. The sign `§` stands before the place that the error names.

use provost_form::Position;

use crate::broken::refused;

/// One mistake, at the sign.
#[track_caller]
fn wrong(text: &str, message: &str, hint: &str) {
    let (before, after) = text.split_once('§').unwrap();
    let Position { line, column } = Position::of(before, before.len());
    refused(&format!("{before}{after}"), (line, column), message, hint);
}

/// A server of commands with this entry.
#[track_caller]
fn entry(entry: &str, message: &str, hint: &str) {
    let text = format!("a:\n  kind: command\n  run: {{none: a test}}\n  tools:\n    t: {entry}");
    wrong(&text, message, hint);
}

/// An entry with these arguments of its program.
#[track_caller]
fn argv(list: &str, message: &str, hint: &str) {
    let args = "{a: string, b: optional string, c: \"string[]\"}";
    entry(&format!("{{about: x, args: {args}, argv: {list}}}"), message, hint);
}

#[test]
fn an_argument_is_an_element_of_a_list_and_no_shell_reads_it() {
    argv("§\"ls -l\"", "expected a list of arguments", "write a list");
    argv("§[]", "no program is named", "write a list");
    argv("[§\"{{ args.a }}\"]", "no value chooses it", "");
    argv("[§\"ls -l\"]", "the program is written", "");
    argv("[§-l]", "the program is written", "");
    argv("[§bin/ls]", "the program's path is not absolute", "begins with `/`");
    argv("[§sh, -c, \"{{ args.a }}\"]", "`sh` would read values as commands", "a script of your own");
    argv("[§/usr/bin/bash, x]", "`bash` would read values as commands", "");
    argv("[ls, §{a: b}]", "expected an argument, found a table", "");
    argv("[ls, §true]", "expected an argument, found `true`", "");
    argv("[ls, §[]]", "the group of arguments is empty", "remove it");
    argv("[ls, §\"{{ args.x }}\"]", "column 9 of the text: `x` is not a field here", "a, b, c");
    argv("[ls, §\"{{ args.a\"]", "column", "");
    argv("[ls, §\"{{ args.c }}\"]", "does not fit here", "take one text or number");
    argv("[ls, -n, §\"{{ args.b }}\"]", "without a value, `-n` would take the next argument", "[-n, …]");
    let many = format!("§[ls, {}x]", "x, ".repeat(70));
    argv(&many, "more than 64 arguments", "a script");
}

#[test]
fn an_entry_says_what_runs_and_what_its_end_means() {
    entry("§{about: x}", "the key `argv` is missing", "write a list");
    entry("§{argv: [ls]}", "the key `about` of `t` is missing", "in a sentence");
    entry("§ls", "expected a table", "argv");
    entry("{about: x, argv: [ls], §shell: true}", "unknown key `shell`", "");
    entry("{about: x, argv: [ls], ok: §\"status == 0\"}", "`status`", "");
    entry("{about: x, argv: [ls], ok: §\"exit\"}", "a condition is needed here", "");
    entry("{about: x, argv: [ls], ok: §\"exit == 300\"}", "no exit code from 0 to 255", "exit in [0, 1]");
    entry("{about: x, argv: [ls], refused: §\"exit in [0, 2]\"}", "exit code 0 is both", "`exit == 0`");
    entry("§{about: x, argv: [ls], effect: idempotent}", "needs the key `key`", "key: {env: NAME}");
    entry("{about: x, argv: [ls], key: {env: §a-b}}", "not the name of a variable", "REQUEST_KEY");
    entry("{about: x, argv: [ls], key: {env: A, §header: X}}", "unknown key `header`", "");
    entry("{about: x, argv: [ls], effect: §probe}", "cannot be asked", "");
    entry("{about: x, args: {a: string}, argv: [ls], stdin: §\"id: {{ args.a }}\"}", "a part of what", "stand alone");
    entry("{about: x, argv: [ls], stdin: {id: §\"{{ args.a }}\"}}", "column", "");
    entry("{about: x, argv: [ls], result: {a: §body}}", "body", "");
    entry("{about: x, argv: [ls], timeout: §11m}", "at most 10 minutes", "");
}

#[test]
fn programs_are_kept_apart_or_a_reason_is_said() {
    let tools = "tools: {t: {about: x, argv: [ls]}}";
    let server = |keys: &str, message: &str, hint: &str| {
        wrong(&format!("a:\n  kind: command\n  {tools}\n  {keys}"), message, hint);
    };
    wrong(&format!("a: §{{kind: command, {tools}}}"), "the key `run` is missing", "add `run:`");
    server("run: §none", "expected a table", "bubblewrap, none");
    server("run: §{}", "nothing says how programs are kept apart", "none: REASON");
    server("run: {none: §\"\"}", "the text is empty", "");
    server("run: §{none: x, bubblewrap: {}}", "exclude each other", "");
    server("run: {bubblewrap: {§reads: [/srv]}}", "unknown key `reads`", "did you mean `read`?");
    server("run: {bubblewrap: {network: §1}}", "expected true or false", "");
    server("run: {bubblewrap: {read: [/srv]}}\n  cwd: §/var", "the sandbox does not show this folder", "to `read`");
    server("run: {none: x}\n  env: §[A]", "expected a table of variables", "credential");
    server("run: {none: x}\n  env: {§a-b: x}", "cannot be the name of a variable", "no digit");
    server("run: {none: x}\n  env: {§LD_PRELOAD: /x.so}", "is not written here", "remove it");
    server("run: {none: x}\n  env: {A: §{secret: hush}}", "here stands where the secret is", "credential");
    server("run: {none: x}\n  env: {A: §\"{{ args.a }}\"}", "no `{{ … }}` is read here", "the value itself");
    server("run: {none: x}\n  §url: \"http://h\"", "unknown key `url`", "");
    wrong("a: {kind: command, run: {none: x}, tools: §{}}", "no tool is written", "argv");
    wrong("a: §{kind: command, run: {none: x}}", "the key `tools` is missing", "");
}

#[test]
fn a_server_of_tools_is_a_child_or_an_address() {
    let tools = "tools: {t: {}}";
    let server = |keys: &str, message: &str, hint: &str| {
        wrong(&format!("a:\n  kind: mcp\n  {tools}\n  {keys}"), message, hint);
    };
    wrong(&format!("a: §{{kind: mcp, {tools}}}"), "the key `url` is missing", "add `url:`");
    server("url: \"http://h\"\n  run: §{command: [x], none: y}", "exclude each other", "");
    server("run: §{none: y}", "the key `command` is missing", "");
    server("run: §{command: [], none: y}", "no program is named", "PROGRAM");
    server("run: {command: §[bin/x], none: y}", "is not absolute", "");
    server("run: §{command: [x]}", "nothing says how programs are kept apart", "");
    server("run: {command: [x], none: y}\n  auth: §{bearer: {env: A}}", "is for a server with a `url`", "remove it");
    server("url: \"http://h\"\n  env: §{A: b}", "is for a server with the key `run`", "remove it");
    server("url: §\"http://mcp.example\"\n  auth: {bearer: {env: A}}", "in the clear", "use https");
    server("run: {command: [x], none: y}\n  accepted: §7", "expected a text", "");
    let entry = |entry: &str, message: &str, hint: &str| {
        wrong(&format!("a:\n  kind: mcp\n  url: \"http://h\"\n  tools: {entry}"), message, hint);
    };
    entry("§{}", "no tool is written", "effect");
    entry("{t: §read}", "expected a table", "effect");
    entry("{§\"a b\": {}}", "cannot be the name of a tool", "the server's own name under `name`");
    entry("{t: {name: §[a]}}", "expected a text", "");
    entry("{t: {fix: §[a]}}", "expected a table of arguments", "");
    entry("{t: {fix: {a: §\"{{ fields.repo }}\"}}}", "no `{{ … }}` is read here", "");
    entry("{t: {§argv: [ls]}}", "unknown key `argv`", "");
}

#[test]
fn an_address_to_look_at_is_written() {
    wrong("a: §{kind: probe}", "the key `targets` is missing", "add `targets:`");
    wrong("a: {kind: probe, targets: §{}}", "no address is named", "NAME");
    wrong("a: {kind: probe, targets: {x: §\"10.0.0.1\"}}", "not an address", "http://");
    wrong("a: {kind: probe, targets: {x: §\"ftp://h/\"}}", "neither http nor https", "");
    wrong("a: {kind: probe, targets: {x: §\"http://u:hush@h/\"}}", "a password", "");
}
