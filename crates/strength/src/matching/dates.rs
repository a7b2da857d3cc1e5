//! Years and dates, with and without signs between their numbers.

use super::{Kind, LEAST_YEARS, Match, REFERENCE_YEAR};

const FIRST_YEAR: u16 = 1_000;
const LAST_YEAR: u16 = 2_050;

pub(super) fn find(text: &[char], found: &mut Vec<Match>) {
    years(text, found);
    let mut dates: Vec<Match> = Vec::new();
    for first in 0..text.len() {
        for last in first + 3..(first + 10).min(text.len()) {
            let token = &text[first..=last];
            let (year, signs) = match (unseparated(token), separated(token)) {
                (Some(year), _) => (year, 1.0),
                (None, Some(year)) => (year, 4.0),
                (None, None) => continue,
            };
            let guesses = f64::from(distance(year).max(LEAST_YEARS)) * 365.0 * signs;
            dates.push(Match::new(first, last, text.len(), guesses, Kind::Date));
        }
    }
    let within = |one: &Match, two: &Match| {
        two.first <= one.first && two.last >= one.last && two.len() > one.len()
    };
    let outermost = dates
        .iter()
        .filter(|one| !dates.iter().any(|two| within(one, two)));
    found.extend(outermost.copied());
}

/// `1900` to `2099`.
fn years(text: &[char], found: &mut Vec<Match>) {
    let mut first = 0;
    while first + 4 <= text.len() {
        match number(&text[first..first + 4]) {
            Some(year @ 1_900..=2_099) => {
                let guesses = f64::from(distance(year).max(LEAST_YEARS));
                let last = first + 3;
                found.push(Match::new(first, last, text.len(), guesses, Kind::Year));
                first += 4;
            }
            _ => first += 1,
        }
    }
}

fn distance(year: u16) -> u16 {
    year.abs_diff(REFERENCE_YEAR)
}

fn number(digits: &[char]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |value, c| {
        let digit = u16::try_from(c.to_digit(10)?).ok()?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The year of a date in digits alone; of several readings the one that is nearest to our time.
fn unseparated(token: &[char]) -> Option<u16> {
    let splits: &[(usize, usize)] = match token.len() {
        4 => &[(1, 2), (2, 3)],
        5 => &[(1, 3), (2, 3)],
        6 => &[(1, 2), (2, 4), (4, 5)],
        7 => &[(1, 3), (2, 3), (4, 5), (4, 6)],
        8 => &[(2, 4), (4, 6)],
        _ => return None,
    };
    let readings = splits.iter().filter_map(|&(one, two)| {
        let parts = [&token[..one], &token[one..two], &token[two..]];
        year_of([number(parts[0])?, number(parts[1])?, number(parts[2])?])
    });
    readings.min_by_key(|year| distance(*year))
}

/// The year of a date with the same sign twice.
fn separated(token: &[char]) -> Option<u16> {
    let is_sign = |c: &char| c.is_whitespace() || ['/', '\\', '_', '.', '-'].contains(c);
    let sign = token.iter().find(|c| is_sign(c))?;
    let mut parts = token.split(|c| c == sign);
    let (one, two, three) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = [(one, 4), (two, 2), (three, 4)];
    let all = fits
        .iter()
        .all(|(part, most)| (1..=*most).contains(&part.len()));
    if token.len() < 6 || parts.next().is_some() || !all {
        return None;
    }
    year_of([number(one)?, number(two)?, number(three)?])
}

/// The year where three numbers are a date, in the orders that people write.
fn year_of(numbers: [u16; 3]) -> Option<u16> {
    let [first, second, third] = numbers;
    let count = |is: &dyn Fn(u16) -> bool| numbers.iter().filter(|it| is(**it)).count();
    let impossible = count(&|it| (100..FIRST_YEAR).contains(&it) || it > LAST_YEAR) > 0
        || !(1..=31).contains(&second)
        || count(&|it| it > 31) >= 2
        || count(&|it| it > 12) == 3
        || count(&|it| it == 0) >= 2;
    if impossible {
        return None;
    }
    let orders = [(third, first, second), (first, second, third)];
    let long = |year: u16| (FIRST_YEAR..=LAST_YEAR).contains(&year);
    if let Some((year, one, two)) = orders.into_iter().find(|(year, ..)| long(*year)) {
        return is_day_of_month(one, two).then_some(year);
    }
    let (year, ..) = orders
        .into_iter()
        .find(|(_, one, two)| is_day_of_month(*one, *two))?;
    Some(match year {
        100.. => year,
        51.. => year + 1_900,
        _ => year + 2_000,
    })
}

fn is_day_of_month(one: u16, two: u16) -> bool {
    let fits = |day: u16, month: u16| (1..=31).contains(&day) && (1..=12).contains(&month);
    fits(one, two) || fits(two, one)
}
