//! Making a sequence that has an effect as small as possible while it keeps it.
//!
//! The effect of a test run is not monotone: a longer order may lack the effect of a shorter one, since a cleaner came
//! in. Both searches here bear that. They ask through a function that takes several sequences at once (parallel
//! executors answer them together) and gives for each whether the effect was there.

/// Into how many parts a sweep of [`by_suffix`] divides what is left.
const PARTS: usize = 8;

/// Finds a minimal subsequence with the effect by looking for the shortest *suffix* that has it.
///
/// What stands nearest to the end acts last: nothing that follows the last culprit undid it (else the whole sequence
/// would not have the effect), and what stands before the first member of an effective set is not needed. So "this
/// suffix has the effect" is monotone in its length even where cleaners are about, which no other way of cutting is. The
/// boundary names the first member; with it pinned, the next is searched in the same way.
///
/// Suffixes are long. So each member is first searched to an eighth of the sequence only; what stands in none of those
/// parts is dropped, and the rest is searched anew. Costs about `log2(n) + 4` questions for each member; with `width`
/// questions at once, `log(width + 1)` rounds.
/// The caller knows that the whole sequence has the effect and the empty one has not.
/// Gives `None` where the answers contradict one another.
pub async fn by_suffix<T: Copy>(
    items: &[T],
    width: usize,
    ask: &impl AsyncFn(Vec<Vec<T>>) -> Vec<bool>,
) -> Option<Vec<T>> {
    let mut items = items.to_vec();
    loop {
        let grain = (items.len() / PARTS).max(1);
        let mut kept = parts(&items, grain, width, ask).await?;
        if grain > 1 && kept.len() == items.len() {
            // Members everywhere: no part can be dropped.
            kept = parts(&items, 1, width, ask).await?;
        }
        if grain == 1 || kept.len() == items.len() {
            return Some(kept);
        }
        items = kept;
    }
}

/// The parts of at most `grain` items, each with a member, that have the effect together.
async fn parts<T: Copy>(
    items: &[T],
    grain: usize,
    width: usize,
    ask: &impl AsyncFn(Vec<Vec<T>>) -> Vec<bool>,
) -> Option<Vec<T>> {
    let mut kept: Vec<T> = Vec::new();
    let mut rest = items;
    loop {
        if !kept.is_empty() && ask(vec![kept.clone()]).await[0] {
            return Some(kept);
        }
        // Invariant: kept + rest[low..] has the effect, kept + rest[high..] has not.
        let (mut low, mut high) = (0, rest.len());
        if high == 0 {
            return None;
        }
        while high - low > grain {
            let cuts = cuts(low, high, width);
            let orders = cuts.iter().map(|cut| [&kept[..], &rest[*cut..]].concat()).collect();
            let shown = ask(orders).await;
            // The longest suffix without the effect, and the shortest with it before that.
            match shown.iter().position(|yes| !yes) {
                Some(0) => high = cuts[0],
                Some(first_without) => (low, high) = (cuts[first_without - 1], cuts[first_without]),
                None => low = cuts[cuts.len() - 1],
            }
        }
        kept.extend_from_slice(&rest[low..high]);
        rest = &rest[high..];
    }
}

/// Finds a subsequence with the effect from the places where the effect begins: `begins(rest, kept)` gives the `n` for which
/// `rest[..n]` and `kept` have it together, and `rest[..n - 1]` and `kept` have not. The item there is a member; what comes
/// before it is searched in the same way, for what the members found so far need.
///
/// The effect need not be monotone in the place: any edge will do. Costs one search of an edge a member, and one question.
/// `None` where there is no edge, or more than `most` members.
pub async fn by_edges<T: Copy>(
    items: &[T],
    most: usize,
    begins: &impl AsyncFn(&[T], &[T]) -> Option<usize>,
    ask: &impl AsyncFn(Vec<Vec<T>>) -> Vec<bool>,
) -> Option<Vec<T>> {
    let (mut kept, mut rest) = (Vec::new(), items);
    while kept.len() < most {
        let n = begins(rest, &kept).await?;
        let (member, before) = rest.get(..n)?.split_last()?;
        kept.insert(0, *member);
        rest = before;
        if ask(vec![kept.clone()]).await[0] {
            return Some(kept);
        }
    }
    None
}

/// Finds the one item that has the effect by itself, by halving. `None` where no single one was found: then it takes
/// several, or an answer was unlucky.
///
/// Every question is half as long as the one before, so all of them together execute about as many items as there are;
/// the suffixes of [`by_suffix`] stay long. Of the pieces all but the first are asked; where none has the effect the first
/// is taken on trust, and the item itself is asked in the end.
pub async fn one_item<T: Copy>(
    mut items: &[T],
    width: usize,
    ask: &impl AsyncFn(Vec<Vec<T>>) -> Vec<bool>,
) -> Option<T> {
    let mut proven = false;
    while items.len() > 1 {
        let mut bounds = cuts(0, items.len(), width);
        bounds.push(items.len());
        let pieces: Vec<&[T]> = bounds.windows(2).map(|bound| &items[bound[0]..bound[1]]).collect();
        let shown = ask(pieces.iter().map(|piece| piece.to_vec()).collect()).await;
        let place = shown.iter().rposition(|yes| *yes);
        proven = place.is_some();
        items = place.map_or(&items[..bounds[0]], |place| pieces[place]);
    }
    let item = *items.first()?;
    (proven || ask(vec![vec![item]]).await[0]).then_some(item)
}

/// Up to `width` places strictly between two others, evenly spread.
fn cuts(low: usize, high: usize, width: usize) -> Vec<usize> {
    let gap = high - low;
    let parts = (width + 1).min(gap);
    (1..parts).map(|part| low + part * gap / parts).collect()
}

/// Delta debugging by complements: takes away ever smaller pieces as long as the effect stays.
///
/// The fall-back where a suffix search contradicts itself. The result is 1-minimal with respect to the answers given.
/// Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002 (ddmin without the subset
/// step, which cannot help where the effect needs what stands around it).
pub async fn delta_debug<T: Copy>(
    mut items: Vec<T>,
    ask: &impl AsyncFn(Vec<Vec<T>>) -> Vec<bool>,
) -> Option<Vec<T>> {
    if !ask(vec![items.clone()]).await[0] {
        return None;
    }
    let mut pieces = 2.min(items.len());
    while items.len() > 1 {
        let size = items.len().div_ceil(pieces);
        let mut shrunk = false;
        let mut start = 0;
        while start < items.len() && items.len() > 1 {
            let end = (start + size).min(items.len());
            let without = [&items[..start], &items[end..]].concat();
            if !without.is_empty() && ask(vec![without.clone()]).await[0] {
                items = without;
                shrunk = true;
            } else {
                start = end;
            }
        }
        if size == 1 && !shrunk {
            break;
        }
        pieces = if shrunk { 2.max(pieces - 1).min(items.len()) } else { (pieces * 2).min(items.len()) };
        if size == 1 {
            pieces = items.len();
        }
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt;

    use super::*;

    /// Halves 0..n with an effect, and counts the items that were run.
    fn halve(n: u32, width: usize, effect: impl Fn(&[u32]) -> bool) -> (Option<u32>, usize) {
        let items: Vec<u32> = (0..n).collect();
        let run = Cell::new(0);
        let ask = async |orders: Vec<Vec<u32>>| {
            run.set(run.get() + orders.iter().map(Vec::len).sum::<usize>());
            orders.iter().map(|order| effect(order)).collect()
        };
        let found = one_item(&items, width, &ask).now_or_never().expect("nothing to wait for");
        (found, run.get())
    }

    #[test]
    fn one_item_is_found_wherever_it_stands_and_what_runs_is_about_the_whole_once() {
        for width in [1, 2, 4] {
            for item in 0..33 {
                let (found, run) = halve(33, width, |order| order.contains(&item));
                assert_eq!(found, Some(item));
                assert!(run <= 33 + 9, "{width} {item}: {run}");
            }
        }
    }

    #[test]
    fn several_are_found_and_most_of_what_stands_between_them_is_run_a_few_times_only() {
        let items: Vec<u32> = (0..1000).collect();
        let sets: [&[u32]; 6] = [&[0, 999], &[10, 500], &[499, 500], &[3, 4, 5], &[100, 600, 990], &[7]];
        for width in [1, 2, 4] {
            for set in sets {
                let run = Cell::new(0);
                let ask = async |orders: Vec<Vec<u32>>| {
                    run.set(run.get() + orders.iter().map(Vec::len).sum::<usize>());
                    orders.iter().map(|order| set.iter().all(|member| order.contains(member))).collect()
                };
                let found = by_suffix(&items, width, &ask).now_or_never().expect("nothing to wait for");
                assert_eq!(found.as_deref(), Some(set), "{width}");
                // Without dropping what stands in between it takes ten questions a member, each nearly as long as all.
                assert!(
                    run.get() < items.len() * (4 * set.len() + 2) * width,
                    "{width} {set:?}: {}",
                    run.get()
                );
            }
        }
    }

    #[test]
    fn edges_name_the_members_wherever_they_stand_and_whatever_undoes_them() {
        let items: Vec<u32> = (0..60).collect();
        // The effect comes by 20 and 45 together, or by 50 alone; 30 undoes 20, and 25 does it once more.
        let effect = |order: &[u32]| {
            let at = |item: u32| order.iter().position(|other| *other == item);
            let undone = |place: usize| at(30).is_some_and(|cleaner| cleaner > place);
            let set =
                at(20).is_some_and(|place| !undone(place)) || at(25).is_some_and(|place| !undone(place));
            (set && at(45).is_some()) || at(50).is_some()
        };
        let begins = async |rest: &[u32], kept: &[u32]| {
            (1..=rest.len())
                .find(|n| effect(&[&rest[..*n], kept].concat()) && !effect(&[&rest[..n - 1], kept].concat()))
        };
        let ask = async |orders: Vec<Vec<u32>>| orders.iter().map(|order| effect(order)).collect();
        let found = |items: &[u32], most| {
            by_edges(items, most, &begins, &ask).now_or_never().expect("nothing to wait for")
        };
        assert_eq!(found(&items, 4), Some(vec![50]));
        let without: Vec<u32> = items.iter().copied().filter(|item| *item != 30).collect();
        assert_eq!(found(&without, 4), Some(vec![20, 45]));
        assert_eq!(found(&without, 1), None);
        assert_eq!(found(&items[..45], 4), None);
    }

    #[test]
    fn members_everywhere_are_all_kept() {
        let items: Vec<u32> = (0..40).collect();
        let ask = async |orders: Vec<Vec<u32>>| orders.iter().map(|order| order.len() == 40).collect();
        let found = by_suffix(&items, 2, &ask).now_or_never().expect("nothing to wait for");
        assert_eq!(found, Some(items));
    }

    #[test]
    fn no_single_item_is_named_where_it_takes_two() {
        for (a, b) in [(0, 1), (3, 17), (31, 32)] {
            assert_eq!(halve(33, 1, |order| order.contains(&a) && order.contains(&b)).0, None);
        }
        assert_eq!(halve(0, 1, |_| true).0, None);
    }
}
