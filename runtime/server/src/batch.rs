//! Events of a session in a row, rendered once for all who follow it.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Bytes;
use provost_domain::event::Event;
use provost_domain::ids::Seq;

/// Consecutive events, at least one.
#[derive(Debug)]
pub(crate) struct Batch {
    /// As a stream of server-sent events has them.
    stream: Bytes,
    places: Vec<Place>,
}

/// Where an event stands in a batch.
#[derive(Debug)]
struct Place {
    seq: Seq,
    begins: usize,
    json: Range<usize>,
}

impl Batch {
    /// Renders events, in their order. A batch ends with the event that brings it to this many bytes.
    pub(crate) fn all(events: &[Event], size: usize) -> Vec<Arc<Self>> {
        let (mut all, mut text, mut places) = (Vec::new(), String::new(), Vec::new());
        for event in events {
            places.push(render(event, &mut text));
            if text.len() >= size {
                all.push(Self::new(&mut text, &mut places));
            }
        }
        if !places.is_empty() {
            all.push(Self::new(&mut text, &mut places));
        }
        all
    }

    fn new(text: &mut String, places: &mut Vec<Place>) -> Arc<Self> {
        // A copy without room to grow: readers may keep it for long.
        let stream = Bytes::copy_from_slice(text.as_bytes());
        text.clear();
        Arc::new(Self { stream, places: std::mem::take(places) })
    }

    /// Where its events begin.
    pub(crate) fn first(&self) -> Seq {
        self.places.first().map(|place| place.seq).unwrap_or_default()
    }

    /// Where its events end.
    pub(crate) fn last(&self) -> Seq {
        self.places.last().map(|place| place.seq).unwrap_or_default()
    }

    /// The events after one, as a stream sends them. Nothing is copied.
    pub(crate) fn stream(&self, after: Seq) -> Bytes {
        let begins = self.since(after).next().map_or(self.stream.len(), |place| place.begins);
        self.stream.slice(begins..)
    }

    /// The events after one, each as JSON.
    pub(crate) fn json(&self, after: Seq) -> impl Iterator<Item = String> {
        self.since(after).map(|place| String::from_utf8_lossy(&self.stream.slice(place.json.clone())).into_owned())
    }

    fn since(&self, after: Seq) -> impl Iterator<Item = &Place> {
        self.places.iter().skip_while(move |place| place.seq <= after)
    }
}

fn render(event: &Event, text: &mut String) -> Place {
    let begins = text.len();
    for part in ["id: ", &event.seq.to_string(), "\nevent: ", event.body.kind(), "\ndata: "] {
        text.push_str(part);
    }
    let json = text.len();
    // JSON on one line: all of it is one `data` field.
    text.push_str(&event.to_json().to_string());
    let place = Place { seq: event.seq, begins, json: json..text.len() };
    text.push_str("\n\n");
    place
}
