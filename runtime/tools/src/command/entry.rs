//! An entry under `tools` of a server of the kind `command`.

use provost_expr::{Scope, Type};
use provost_form::{At, ErrorLog, YamlNode, table};
use serde_json::{Map, Value, json};

use super::argv::Argv;
use super::exits::ExitRules;
use super::input::CommandInput;
use crate::arguments;
use crate::mapping::ResultMap;
use crate::process::is_variable;

table! {
    /// The key `key`: the variable that holds the call's key, under which a repetition is the same call.
    #[derive(Debug)]
    struct KeyVariable {
        env: At<String>,
    }
}

/// A tool as written.
#[derive(Debug)]
pub(super) struct CommandEntry {
    pub(super) name: String,
    /// The schema of its arguments.
    pub(super) args: Value,
    pub(super) argv: Argv,
    pub(super) input: CommandInput,
    pub(super) key: Option<String>,
    pub(super) exits: ExitRules,
    pub(super) result: ResultMap,
    /// Whether it only reads.
    pub(super) reads_only: bool,
}

impl CommandEntry {
    /// Its keys besides those of every tool.
    pub(super) const KEYS: &'static [&'static str] =
        &["args", "argv", "stdin", "key", "result", "refused", "ok", "output_schema"];

    /// Reads an entry whose name was checked.
    pub(super) fn read(name: &str, node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let effect = node.get("effect").and_then(YamlNode::text).unwrap_or("unsafe");
        let key = node.get("key").and_then(|node| key(node, log));
        if effect == "idempotent" && node.get("key").is_none() {
            let hint =
                "write `key: {env: NAME}` if the program knows repetitions by that variable, else remove `effect`";
            log.report(node.place, "a tool that may be repeated needs the key `key`", hint);
        }
        let nothing = || json!({"type": "object", "additionalProperties": false});
        let args = node.get("args").map_or_else(|| Some(nothing()), |node| arguments::read(node, log));
        let of_args = args.as_ref().map_or(Type::Any, |args| Type::of_schema(args, &|_| None));
        let scope = Scope::default().with("args", of_args);
        let command = if let Some(list) = node.get("argv") {
            Argv::read(list, &scope, log)
        } else {
            log.report(node.place, "the key `argv` is missing", "write a list: [kubectl, get, pods]");
            None
        };
        let input = node.get("stdin").map_or(Some(CommandInput::Nothing), |node| CommandInput::read(node, &scope, log));
        let text = || json!({"type": "string"});
        let as_it_comes = Map::from_iter([
            ("exit".to_owned(), json!({"type": "integer"})),
            ("stdout".to_owned(), text()),
            ("stderr".to_owned(), text()),
        ]);
        let answered = scope
            .with("exit", Type::Number)
            .with("stdout", Type::Text)
            .with("stderr", Type::Text)
            .with("json", Type::Any);
        let result = ResultMap::read(node, &answered, as_it_comes, log);
        let exits = ExitRules::read(node, log);
        Some(Self {
            name: name.to_owned(),
            args: args?,
            argv: command?,
            input: input?,
            key,
            exits,
            result: result?,
            reads_only: effect == "read",
        })
    }
}

fn key(node: &YamlNode, log: &mut ErrorLog) -> Option<String> {
    let KeyVariable { env } = provost_form::FromYaml::read(node, log)?;
    if env.is_blank() {
        return None;
    }
    if !is_variable(&env) {
        log.report(env.place, "not the name of a variable for a key", "write one such as `REQUEST_KEY`");
        return None;
    }
    Some(env.value)
}
