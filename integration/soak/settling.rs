//! The account at the end of a round, when nobody works in the Maildir: on disk, and as a client sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use super::Dice;
use super::ledger::Mark;
use super::restless::{World, touch};
use super::talk::{Got, Talk};

/// Messages whose files are touched, by their numbers.
type Files = BTreeMap<usize, Vec<PathBuf>>;

pub(super) fn settle(world: &World, dice: &mut Dice) {
    let there: BTreeSet<usize> = on_disk(world).into_keys().collect();
    assert_eq!(there, world.ledger.there());
    if dice.one_in(2) {
        world.restart(dice);
    }
    assert_eq!(all_read(world), there);
    delete_touched(world, dice);
}

/// The files of each message.
fn on_disk(world: &World) -> Files {
    let lying = world.files();
    let files = world.ledger.settle(&lying);
    let paths_of = |places: Vec<usize>| places.into_iter().map(|place| lying[place].0.clone()).collect();
    files.into_iter().map(|(number, places)| (number, paths_of(places))).collect()
}

fn session(world: &World) -> (Instant, Talk, Vec<String>) {
    let begun = Instant::now();
    let mut talk = Talk::begin(*world.address.read().unwrap()).expect("the service runs");
    let unique_ids = talk.unique_ids().unwrap();
    world.check_listing(begun, &unique_ids, &mut talk);
    (begun, talk, unique_ids)
}

/// The number of a message; none if it is refused.
fn read(world: &World, talk: &mut Talk, (begun, at, unique_id): (Instant, usize, &str)) -> Option<usize> {
    let Some(Got::Message(number)) = talk.retrieve(at) else { return None };
    world.ledger.saw(begun, unique_id, number);
    Some(number)
}

/// The messages that clients can retrieve. One that was touched since it was counted may be refused to the first session.
fn all_read(world: &World) -> BTreeSet<usize> {
    let (_, _, mut missing) = session(world);
    let mut read = BTreeSet::new();
    for refusals_are_accepted in [true, false] {
        let (begun, mut talk, unique_ids) = session(world);
        for unique_id in std::mem::take(&mut missing) {
            let at = 1 + unique_ids.iter().position(|listed| *listed == unique_id).expect("it stays in the listing");
            match talk.retrieve(at).unwrap() {
                Got::Message(number) => {
                    world.ledger.saw(begun, &unique_id, number);
                    assert!(read.insert(number), "message {number} is shown twice");
                }
                Got::Refused(reply) => {
                    assert!(refusals_are_accepted, "{unique_id} cannot be read: {reply}");
                    missing.push(unique_id);
                }
            }
        }
        assert!(talk.ask("QUIT").unwrap().starts_with("+OK"));
    }
    read
}

/// Deletes half of all messages, touched after they were counted, and does not retrieve them.
fn delete_touched(world: &World, dice: &mut Dice) {
    let chosen: Files = on_disk(world).into_iter().filter(|_| dice.one_in(2)).collect();
    for path in chosen.values().flatten() {
        assert!(touch(path, dice));
    }
    if dice.one_in(2) {
        world.restart(dice);
    }
    let mut is_done = false;
    // One session may find out that they were touched; the next one knows.
    for is_second in [false, true] {
        let (begun, mut talk, unique_ids) = session(world);
        let mut marks: Vec<Mark> = Vec::new();
        for (at, unique_id) in (1..).zip(unique_ids) {
            let known = world.ledger.number_of(&unique_id);
            assert!(known.is_some() || is_second, "{unique_id}: all were read");
            let Some(number) = known.or_else(|| read(world, &mut talk, (begun, at, &unique_id))) else { continue };
            if chosen.contains_key(&number) {
                assert!(world.ledger.mark(number));
                assert!(talk.ask(&format!("DELE {at}")).unwrap().starts_with("+OK"));
                marks.push((number, unique_id));
            }
        }
        let reply = talk.ask("QUIT").unwrap();
        is_done = reply.starts_with("+OK");
        if is_done {
            world.tally.add("deleted after a touch", marks.len());
            world.ledger.deleted(begun, marks);
            break;
        }
        world.ledger.in_doubt(marks);
        on_disk(world);
    }
    assert!(is_done, "what was touched after it was counted cannot be deleted");
    let left: BTreeSet<usize> = on_disk(world).into_keys().collect();
    assert_eq!(left, world.ledger.there());
    assert!(chosen.keys().all(|number| !left.contains(number)));
}
