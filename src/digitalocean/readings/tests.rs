use super::*;
use crate::digitalocean::call::OnePage;

/// How many items are on a page.
const ON_A_PAGE: usize = 200;
const INTERVAL: SignedDuration = SignedDuration::from_secs(5);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// How a look at a Droplet that is off is answered for a caller that can wait.
fn look(readings: &mut Readings<u64, u64>, id: u64, second: i64) -> Plan<u64> {
    let look = Look { priority: Priority::Off, since: Timestamp::MIN, patience: Some(SignedDuration::ZERO) };
    readings.plan(id, look, None, at(second))
}

/// Performs a sweep over a list of these items. Returns the pages that it read.
fn sweep(readings: &mut Readings<u64, u64>, listed: &[u64], second: i64) -> Vec<u32> {
    let pages: Vec<&[u64]> = listed.chunks(ON_A_PAGE).collect();
    let mut sweep = Sweep::begin(readings, at(second));
    let mut read = Vec::new();
    while let Some(number) = sweep.next_page(readings) {
        let items = pages.get(number as usize - 1).map_or_else(Vec::new, |items| items.to_vec());
        let last = u32::try_from(pages.len()).unwrap();
        sweep.absorb(number, OnePage { items, is_last: number >= last, last: Some(last) }, at(second), |id| *id);
        read.push(number);
    }
    sweep.end(readings, at(second));
    read
}

/// Looks and sweeps until these items are found. Returns how many pages were read.
fn pages_until_found(readings: &mut Readings<u64, u64>, list: &[u64], ids: std::ops::Range<u64>) -> usize {
    let mut pages = 0;
    for minute in 0..20 {
        let plans: Vec<Plan<u64>> = ids.clone().map(|id| look(readings, id, minute * 61)).collect();
        if plans.iter().all(|plan| matches!(plan, Plan::Remember(_))) {
            return pages;
        }
        let sweeps = plans.iter().any(|plan| matches!(plan, Plan::Begin));
        let read = if sweeps { sweep(readings, list, minute * 61).len() } else { 0 };
        assert!(read <= MOST_PAGES as usize, "{read} pages at once");
        pages += read;
        if ids.clone().all(|id| readings.page_of.contains_key(&id)) {
            return pages;
        }
    }
    panic!("not found in {pages} pages");
}

#[test]
fn what_stands_behind_page_25_is_found_and_then_costs_its_page_alone() {
    let mut readings = Readings::new(INTERVAL);
    let list: Vec<u64> = (0..10_000).collect();
    let pages = pages_until_found(&mut readings, &list, 9_900..9_940);
    assert!(pages <= 50, "{pages} pages for a list of 50");
    for id in 9_900..9_940 {
        look(&mut readings, id, 2_000);
    }
    assert_eq!(sweep(&mut readings, &list, 2_000), [50]);
}

#[test]
fn pages_that_show_nothing_of_ours_slow_nobody_down() {
    let mut readings = Readings::new(INTERVAL);
    let list: Vec<u64> = (0..10_000).collect();
    for id in (0..30).chain(9_900..9_920) {
        look(&mut readings, id, 0);
    }
    assert_eq!(sweep(&mut readings, &list, 0).len(), 25);
    // Those that were found are on one page; a crowd of 30 waits for 3 s.
    assert!(matches!(look(&mut readings, 0, 1), Plan::Remember(_)));
    readings.was_shown(0, at(0));
    assert!(matches!(look(&mut readings, 0, 2), Plan::Later(next) if next <= at(5)));
}

#[test]
fn one_page_serves_two() {
    let mut readings = Readings::new(INTERVAL);
    assert!(matches!(look(&mut readings, 1, 0), Plan::Single));
    assert!(matches!(look(&mut readings, 2, 0), Plan::Begin));
    let mut history = Readings::of_a_history(INTERVAL);
    look(&mut history, 1, 0);
    assert!(matches!(look(&mut history, 2, 0), Plan::Single), "a history is long");
}

#[test]
fn what_moved_to_the_next_page_is_found_there() {
    let mut readings = Readings::new(INTERVAL);
    let list: Vec<u64> = (1_000..3_000).collect();
    for id in 1_395..1_400 {
        look(&mut readings, id, 0);
    }
    sweep(&mut readings, &list, 0);
    // Newer ones are before them now.
    let list: Vec<u64> = (990..3_000).collect();
    for id in 1_395..1_400 {
        look(&mut readings, id, 10);
    }
    assert_eq!(sweep(&mut readings, &list, 10), [2, 1, 3]);
    for id in 1_395..1_400 {
        look(&mut readings, id, 20);
    }
    assert_eq!(sweep(&mut readings, &list, 20), [3]);
}

#[test]
fn the_end_of_a_list_is_two_pages_and_the_rest_is_searched_every_five_minutes() {
    let mut readings = Readings::from_the_end(INTERVAL);
    let list: Vec<u64> = (0..10_000).collect();
    let mut pages = Vec::new();
    for minute in 0..8 {
        for missing in 20_000..20_100 {
            look(&mut readings, missing, minute * 61);
        }
        pages.push(sweep(&mut readings, &list, minute * 61).len());
    }
    // The first sweep has yet to find the end of the list.
    assert_eq!(pages, [26, 2, 2, 2, 2, 25, 2, 2]);
}
