//! What the compiler cannot keep: layers, cycles of files, sizes, names, words, and that the runtime knows no case's
//! domain. What is not right yet stands in `lists/`, which may only shrink.

mod case_words;
mod comments;
mod cycles;
mod graph;
mod imports;
mod layers;
mod list;
mod mentions;
mod modules;
mod names;
mod packages;
mod phrases;
mod scope;
mod sizes;
mod source;
mod texts;
mod tokens;

#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
