//! The estimate against zxcvbn's own, on common passwords, what people do to them, and generated ones.
#![allow(clippy::unwrap_used)]

use crate::dictionary::Dictionary;
use crate::estimate::bits_and_advice;

/// How far the estimate may lie above zxcvbn's for each listed word that a text holds, bits.
///
/// A word's rank is known to its tier: the first tiers reach over a factor of ten, the others of 3.2.
const ABOVE: f64 = 2.0;
/// The highest rank of each tier.
const TIERS: [usize; 6] = [10, 100, 316, 1_000, 3_162, 10_000];

/// Passwords that are among the first thousand of leaked ones, words and names, and what people make of them.
const COMMON: &[&str] = &[
    "123456",
    "password",
    "12345678",
    "qwerty",
    "123456789",
    "12345",
    "111111",
    "dragon",
    "123123",
    "baseball",
    "abc123",
    "football",
    "monkey",
    "letmein",
    "shadow",
    "master",
    "696969",
    "mustang",
    "qwertyuiop",
    "superman",
    "1qaz2wsx",
    "trustno1",
    "jordan",
    "jennifer",
    "hunter",
    "buster",
    "soccer",
    "harley",
    "batman",
    "andrew",
    "tigger",
    "sunshine",
    "iloveyou",
    "charlie",
    "robert",
    "thomas",
    "hockey",
    "ranger",
    "daniel",
    "starwars",
    "klaster",
    "george",
    "computer",
    "michelle",
    "jessica",
    "pepper",
    "zxcvbn",
    "freedom",
    "maggie",
    "ginger",
    "princess",
    "joshua",
    "cheese",
    "amanda",
    "summer",
    "ashley",
    "nicole",
    "chelsea",
    "biteme",
    "matthew",
    "access",
    "yankees",
    "dallas",
    "austin",
    "thunder",
    "taylor",
    "matrix",
    "william",
    "corvette",
    "hello",
    "martin",
    "heather",
    "secret",
    "merlin",
    "diamond",
    "hammer",
    "silver",
    "anthony",
    "justin",
    "patrick",
    "internet",
    "scooter",
    "orange",
    "golfer",
    "cookie",
    "richard",
    "samantha",
    "bigdog",
    "guitar",
    "jackson",
    "whatever",
    "mickey",
    "chicken",
    "sparky",
    "snoopy",
    "maverick",
    "phoenix",
    "camaro",
    "peanut",
    "morgan",
    "welcome",
    "falcon",
    "cowboy",
    "ferrari",
    "samsung",
    "andrea",
    "smokey",
    "the",
    "house",
    "government",
    "university",
    "president",
    "smith",
    "johnson",
    "mary",
    "because",
];

/// What people do to a password so that a form takes it.
fn dressed(word: &str) -> Vec<String> {
    let mut first = word.chars();
    let capital = first.next().map(|c| c.to_ascii_uppercase());
    let capital: String = capital.into_iter().chain(first).collect();
    let signs: String = word.chars().map(as_sign).collect();
    vec![
        word.to_owned(),
        format!("{capital}1"),
        format!("{capital}!"),
        format!("{word}123"),
        format!("{capital}2019"),
        format!("{word}1987"),
        format!("{word}{word}"),
        shouted(word),
        word.chars().rev().collect(),
        signs,
    ]
}

/// In capitals, where the word is letters alone: zxcvbn counts capitals with digits as no guess at all.
fn shouted(word: &str) -> String {
    match word.chars().all(char::is_alphabetic) {
        true => word.to_uppercase(),
        false => word.to_owned(),
    }
}

fn as_sign(c: char) -> char {
    match c {
        'a' => '@',
        'e' => '3',
        'o' => '0',
        's' => '$',
        'i' => '!',
        other => other,
    }
}

const PATTERNS: &[&str] = &[
    "asdfghjkl",
    "zaq12wsx",
    "1q2w3e4r5t",
    "poiuytrewq",
    "aoeuidhtns",
    "14789632",
    "aaaaaaaa",
    "1112345",
    "abcabcabc",
    "aabaabaab",
    "xyxyxyxyxy",
    "abcdefgh",
    "987654321",
    "13579",
    "ZYXWVU",
    "1/1/1991",
    "11.12.2013",
    "13-10-1978",
    "20111210",
    "1984",
    "2024",
    "31121999",
    "190484",
    "!QAZ2wsx",
    "QWERTY",
    "mnbvcxz",
    "7894561230",
    "a",
    "ab",
    "",
    "  ",
    "\u{fc}ber\u{fc}ber",
];

fn zxcvbn_bits(text: &str) -> f64 {
    let bits = zxcvbn::zxcvbn(text, &[]).guesses_log10() * std::f64::consts::LOG2_10;
    if bits.is_finite() { bits } else { 0.0 }
}

/// The texts that the estimate puts more than the bound above zxcvbn, or as far below.
fn disagreements(dictionary: &Dictionary) -> Vec<String> {
    let mut told = Vec::new();
    let dressed = COMMON.iter().flat_map(|word| dressed(word));
    for text in dressed.chain(PATTERNS.iter().map(ToString::to_string)) {
        let ours = f64::from(bits_and_advice(&text, dictionary).0);
        let theirs = zxcvbn_bits(&text);
        assert!(theirs < 40.0, "{text} is meant to be weak: {theirs}");
        // Ours is rounded down to whole bits.
        if ours > theirs + ABOVE || ours + 1.0 < theirs - ABOVE {
            told.push(format!("{text}: {ours}, zxcvbn {theirs:.1}"));
        }
    }
    told
}

#[test]
fn weak_passwords_are_worth_what_zxcvbn_says() {
    let told = disagreements(Dictionary::common());
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn an_estimator_that_knows_no_words_does_not_agree() {
    let told = disagreements(&Dictionary::unpack(""));
    assert!(told.len() > COMMON.len() * 4, "{}", told.len());
}

#[test]
fn every_listed_word_has_its_class_and_tier_from_zxcvbn() {
    use zxcvbn::matching::patterns::MatchPattern;
    let words: Vec<_> = Dictionary::common().words().collect();
    for (word, ranked) in words.iter().step_by(29) {
        let entropy = zxcvbn::zxcvbn(word, &[]);
        // Where the whole word is the best match, its rank is the number of guesses.
        let [found] = entropy.sequence() else {
            continue;
        };
        let MatchPattern::Dictionary(found) = &found.pattern else {
            continue;
        };
        if found.reversed || found.l33t {
            continue;
        }
        let least = ranked.tier.checked_sub(1).map_or(0, |tier| TIERS[tier]);
        let tier = least + 1..=TIERS[ranked.tier];
        assert!(
            tier.contains(&found.rank),
            "{word}: {} in {tier:?}",
            found.rank
        );
    }
}

/// Numbers that look random, the same in each run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// One to four listed words, joined in the ways that people join them, and how many they are.
fn generated(draw: &mut Draw, words: &[&str]) -> (String, usize) {
    let count = 1 + draw.below(4);
    let between = ["", " ", "-", "7", "."][draw.below(5)];
    let chosen: Vec<&str> = (0..count).map(|_| words[draw.below(words.len())]).collect();
    let end = ["", "!", "42", "2011"][draw.below(4)];
    (chosen.join(between) + end, count)
}

#[test]
fn generated_passphrases_are_worth_what_zxcvbn_says() {
    let words: Vec<&str> = Dictionary::common().words().map(|(word, _)| word).collect();
    let mut draw = Draw(7);
    let (mut compared, mut nearer) = (0, 0);
    for _ in 0..600 {
        let (text, count) = generated(&mut draw, &words);
        let theirs = zxcvbn_bits(&text);
        let (ours, _) = bits_and_advice(&text, Dictionary::common());
        let ours = f64::from(ours);
        // Near the 64 bits in which zxcvbn counts, one may be measured whole and the other in pieces.
        if theirs > 58.0 {
            continue;
        }
        compared += 1;
        let bound = ABOVE * count as f64;
        assert!(ours <= theirs + bound, "{text}: {ours}, zxcvbn {theirs:.1}");
        assert!(
            ours + 1.0 >= theirs - bound,
            "{text}: {ours}, zxcvbn {theirs:.1}"
        );
        nearer += usize::from((ours + 0.5 - theirs).abs() <= ABOVE);
    }
    assert!(
        compared > 400 && nearer * 10 > compared * 9,
        "{nearer} of {compared}"
    );
}

#[test]
fn random_characters_are_worth_what_zxcvbn_says() {
    // No capital letters: zxcvbn counts a part of capitals and digits as one that takes no guesses.
    let characters: Vec<char> = ('!'..='~').filter(|c| !c.is_uppercase()).collect();
    let mut draw = Draw(11);
    for length in (4..17).cycle().take(300) {
        let text: String = (0..length)
            .map(|_| characters[draw.below(characters.len())])
            .collect();
        let (ours, _) = bits_and_advice(&text, Dictionary::common());
        let theirs = zxcvbn_bits(&text);
        let near = f64::from(ours) <= theirs + ABOVE && f64::from(ours) + 1.0 >= theirs - ABOVE;
        assert!(near, "{text}: {ours}, zxcvbn {theirs:.1}");
    }
}

/// A word beyond the ten thousandth place of its list is not known: it counts as letters.
#[test]
fn what_is_too_rare_for_the_list_is_still_weak_alone_and_in_pairs() {
    for (text, pair) in [
        ("qwertzuiop", "qwertzuiop zymurgy"),
        ("yellowstone1", "sagebrush larkspur"),
    ] {
        for text in [text, pair] {
            let (ours, _) = bits_and_advice(text, Dictionary::common());
            let letters = f64::from(u32::try_from(text.len()).unwrap()) * 10_f64.log2();
            assert!(f64::from(ours) <= letters && ours < 70, "{text}: {ours}");
        }
    }
}

#[test]
fn the_advice_is_zxcvbns() {
    for text in [
        "password",
        "dragon",
        "qwerty123456",
        "smith",
        "government",
        "Password",
        "p@ssw0rd",
        "drowssap",
        "asdfghjkl",
        "aaaaaaaa",
        "abcabcabc",
        "abcdefgh",
        "1984",
        "13.10.1978",
        "the",
        "zq",
        "",
        "maryjohnson",
        "xkq7",
    ] {
        let entropy = zxcvbn::zxcvbn(text, &[]);
        let advice = entropy
            .feedback()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert_eq!(
            bits_and_advice(text, Dictionary::common()).1,
            advice,
            "{text}"
        );
    }
}
