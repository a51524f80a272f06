//! What every face says of an event: one narration per kind, in words of this project's users.

use std::collections::BTreeSet;

use provost_domain::event::EventBody;
use provost_domain::ids::Seq;
use provost_engine::Tail;
use provost_face::{CallNames, DetailBody, hides, narrate};
use provost_tests::every_kind;

/// Sentences of the fixture that holds every kind, as people read them.
const SENTENCES: &str = include_str!("narration.txt");

#[tokio::test]
async fn every_kind_of_event_is_told_in_words() {
    let (reads, session) = every_kind::stored().await;
    let (mut tail, mut names, mut told, mut kinds) =
        (Tail::new(session, Seq(0)), CallNames::default(), Vec::new(), BTreeSet::new());
    loop {
        let events = tail.next(&reads).await.unwrap();
        if events.is_empty() {
            break;
        }
        for event in &events {
            names.learn(&event.body);
            let narration = narrate(&event.body, &names);
            kinds.insert(event.body.kind());
            let level = narration.level.as_str();
            let details: Vec<_> = narration.details.iter().map(|detail| format!(" [{}]", detail.label)).collect();
            let (seq, glyph, sentence) = (event.seq, narration.glyph, narration.sentence());
            told.push(format!("{seq} {glyph} {level}: {sentence}{}", details.concat()));
            for detail in &narration.details {
                let whole = match &detail.body {
                    DetailBody::Line(text) | DetailBody::Passage { text, .. } => text.as_str(),
                    DetailBody::Stored { .. } | DetailBody::Evidence(_) => "",
                };
                assert!(!whole.chars().any(|c| hides(c) && c != '\n' && c != '\t'), "{whole:?}");
            }
        }
    }
    let missing: Vec<_> = EventBody::KINDS.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert_eq!(missing, [&"session_erased"], "the fixture holds every kind but the tombstone");
    assert_eq!(told, SENTENCES.lines().collect::<Vec<_>>(), "\n{}", told.join("\n"));
}
