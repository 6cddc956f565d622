//! The fewest products, within reason, that show where each outcome holds.

use std::collections::HashMap;
use std::hash::Hash;

use super::Cells;

/// How many merges of cells may be tried before the best cover so far is taken.
const BUDGET: usize = 60_000;

/// Splits `everything` into disjoint products, each with the outcome that holds in all of its cells.
///
/// `outcome` is told, for each predicate, whether it holds. `None` if more than `cells_max` cases
/// would have to be looked at.
pub(crate) fn cover<K: Eq + Hash + Clone>(
    everything: &Cells,
    predicates: &[&Cells],
    cells_max: usize,
    mut outcome: impl FnMut(&[bool]) -> K,
) -> Option<Vec<(Cells, K)>> {
    if everything.is_empty() {
        return Some(Vec::new());
    }
    let classes = classes(everything, predicates);
    let count = classes.iter().try_fold(1_usize, |count, class| count.checked_mul(class.len()))?;
    if count > cells_max {
        return None;
    }
    let mut outcomes: Vec<K> = Vec::new();
    let mut known: HashMap<K, usize> = HashMap::new();
    let mut products = Vec::with_capacity(count);
    for cell in 0..count {
        let mut holds = vec![true; predicates.len()];
        let mut masks = Vec::with_capacity(classes.len());
        let mut rest = cell;
        for class in &classes {
            if let Some((mask, accepted)) = class.get(rest % class.len()) {
                masks.push(*mask);
                holds.iter_mut().zip(accepted).for_each(|(holds, accepted)| *holds &= accepted);
            }
            rest /= class.len();
        }
        let found = outcome(&holds);
        let id = *known.entry(found).or_insert_with_key(|found| {
            outcomes.push(found.clone());
            outcomes.len() - 1
        });
        products.push((masks, id));
    }
    let best = fewest(products, &classes);
    let named = best.into_iter().filter_map(|(masks, id)| Some((Cells { masks }, outcomes.get(id)?.clone())));
    Some(named.collect())
}

/// For each attribute, the values that no predicate tells apart, with what each predicate says of them.
fn classes(everything: &Cells, predicates: &[&Cells]) -> Vec<Vec<(u128, Vec<bool>)>> {
    let of_attribute = |(attribute, all): (usize, &u128)| {
        let mut classes: Vec<(u128, Vec<bool>)> = Vec::new();
        for bit in (0..u128::BITS).map(|bit| 1_u128 << bit).filter(|bit| all & bit != 0) {
            let accepts = |cells: &&Cells| cells.masks.get(attribute).is_some_and(|mask| mask & bit != 0);
            let accepted: Vec<bool> = predicates.iter().map(accepts).collect();
            match classes.iter_mut().find(|(_, known)| *known == accepted) {
                Some((mask, _)) => *mask |= bit,
                None => classes.push((bit, accepted)),
            }
        }
        classes
    };
    everything.masks.iter().enumerate().map(of_attribute).collect()
}

type Product = (Vec<u128>, usize);

/// Merges products of one outcome that differ in one attribute, in several orders of the attributes,
/// and takes the order that leaves the fewest.
fn fewest(products: Vec<Product>, classes: &[Vec<(u128, Vec<bool>)>]) -> Vec<Product> {
    let told: Vec<usize> =
        classes.iter().enumerate().filter(|(_, class)| class.len() > 1).map(|(index, _)| index).collect();
    if told.is_empty() {
        return products;
    }
    let orders = (BUDGET / products.len().max(1)).clamp(2 * told.len(), 720);
    let mut best: Option<Vec<Product>> = None;
    for order in orders_of(&told, orders) {
        let merged = merged(products.clone(), &order);
        if best.as_ref().is_none_or(|best| merged.len() < best.len()) {
            best = Some(merged);
        }
    }
    best.unwrap_or(products)
}

fn merged(mut products: Vec<Product>, order: &[usize]) -> Vec<Product> {
    loop {
        let before = products.len();
        for attribute in order {
            let mut places: HashMap<Product, usize> = HashMap::with_capacity(products.len());
            let mut kept: Vec<Product> = Vec::with_capacity(products.len());
            for (masks, id) in products {
                let mut others = masks.clone();
                let mask = others.get_mut(*attribute).map(std::mem::take).unwrap_or_default();
                let joined = places.get(&(others.clone(), id)).and_then(|place| kept.get_mut(*place));
                if let Some(known) = joined.and_then(|(masks, _)| masks.get_mut(*attribute)) {
                    *known |= mask;
                } else {
                    places.insert((others, id), kept.len());
                    kept.push((masks, id));
                }
            }
            products = kept;
        }
        if products.len() == before {
            return products;
        }
    }
}

/// Up to `limit` orders of the attributes: first every rotation, forwards and backwards, then the rest.
fn orders_of(attributes: &[usize], limit: usize) -> Vec<Vec<usize>> {
    let mut orders = Vec::new();
    for shift in 0..attributes.len() {
        let mut turned = attributes.to_vec();
        turned.rotate_left(shift);
        orders.push(turned.clone());
        turned.reverse();
        orders.push(turned);
    }
    let mut order = attributes.to_vec();
    while orders.len() < limit && next_permutation(&mut order) {
        orders.push(order.clone());
    }
    orders.truncate(limit);
    orders
}

/// The next order in the dictionary, or false after the last.
fn next_permutation(order: &mut [usize]) -> bool {
    let pairs: Vec<bool> = order.windows(2).map(|pair| matches!(pair, [a, b] if a < b)).collect();
    let Some(pivot) = pairs.iter().rposition(|rises| *rises) else { return false };
    let Some(value) = order.get(pivot).copied() else { return false };
    let Some(successor) = order.iter().rposition(|other| *other > value) else { return false };
    order.swap(pivot, successor);
    if let Some(tail) = order.get_mut(pivot + 1..) {
        tail.reverse();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_end_with_the_last_permutation() {
        let mut order = vec![0, 1, 2];
        let mut count = 1;
        while next_permutation(&mut order) {
            count += 1;
        }
        assert_eq!((count, order), (6, vec![2, 1, 0]));
    }

    #[test]
    fn every_cell_is_in_exactly_one_product_with_its_own_outcome() {
        let everything = Cells { masks: vec![0b1111, 0b11, 0b111] };
        let predicates = [vec![0b0011, 0b11, 0b111], vec![0b1111, 0b10, 0b101], vec![0b0110, 0b01, 0b111]];
        let predicates: Vec<Cells> = predicates.into_iter().map(|masks| Cells { masks }).collect();
        let predicates: Vec<&Cells> = predicates.iter().collect();
        let found = cover(&everything, &predicates, 1_000, <[bool]>::to_vec).unwrap();
        let inside = |cells: &Cells, cell: [usize; 3]| {
            cells.masks.iter().zip(cell).all(|(mask, value)| mask >> value & 1 == 1)
        };
        for n in 0..24 {
            let cell = [n % 4, n / 4 % 2, n / 8];
            let of: Vec<_> = found.iter().filter(|(cells, _)| inside(cells, cell)).collect();
            assert_eq!(of.len(), 1);
            let expected: Vec<bool> = predicates.iter().map(|cells| inside(cells, cell)).collect();
            assert_eq!(of[0].1, expected);
        }
        assert!(found.len() < 12, "{} products", found.len());
    }
}
