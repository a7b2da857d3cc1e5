use ambient::ManualClock;
use cryptoki::context::Function;
use cryptoki::error::RvError;

use super::*;
use crate::testing::softhsm::{SoftHsm, with_token};

fn token(hsm: &SoftHsm) -> Token {
    let config = hsm.config(Duration::ZERO);
    Token::new(hsm.module(), config.token, config.pin, ManualClock::at(0)).unwrap()
}

/// Which generation of sessions a piece of work is done in.
fn generation(token: &Token) -> u64 {
    token.with(|_, generation| Ok(generation)).unwrap()
}

fn answer(code: RvError) -> Failure {
    Failure::Module(Error::Pkcs11(code, Function::Encrypt))
}

fn number(lease: &Lease<'_>) -> u64 {
    lease.session.as_ref().unwrap().handle()
}

#[test]
fn a_session_is_used_again_unless_its_generation_was_given_up() {
    with_token(|hsm| {
        let token = token(hsm);
        let calling = token.module.calling();
        let functions = calling.functions().unwrap();
        let lease = || token.lease(functions, calling.epoch()).unwrap();
        let first = lease();
        let session = number(&first);
        drop(first);
        let second = lease();
        assert_eq!(number(&second), session);
        token.give_up(second.generation);
        let third = lease();
        assert_ne!(third.generation, second.generation);
        // Given up while it was out, it is closed when it comes back.
        drop(second);
        assert!(token.pool().idle.is_empty());
        let session = number(&third);
        drop(third);
        assert_eq!(number(&lease()), session);
    });
}

#[test]
fn no_more_sessions_are_out_than_a_token_can_be_asked_for() {
    with_token(|hsm| {
        let token = token(hsm);
        let calling = token.module.calling();
        let functions = calling.functions().unwrap();
        let mut leases: Vec<_> = (0..MAX_SESSIONS)
            .map(|_| token.lease(functions, calling.epoch()).unwrap())
            .collect();
        assert_eq!(leases.len(), 8);
        let next = || token.session(&mut token.pool(), functions).unwrap();
        assert!(next().is_none());
        assert!(next().is_none(), "however often it is asked");
        let returned = leases.pop().unwrap();
        let session = number(&returned);
        drop(returned);
        assert_eq!(next().unwrap().handle(), session);
    });
}

#[test]
fn a_piece_of_work_is_tried_again_only_where_a_new_session_may_help() {
    with_token(|hsm| {
        let token = token(hsm);
        // The module is begun anew once in the time that stands still: not in what follows.
        assert!(token.may_begin_anew());
        for (code, times) in [
            (RvError::SessionHandleInvalid, 2),
            (RvError::DeviceError, 2),
            (RvError::GeneralError, 1),
            (RvError::FunctionFailed, 1),
        ] {
            let mut generations = Vec::new();
            let failed = token.with(|_, generation| {
                generations.push(generation);
                Err::<(), _>(answer(code))
            });
            assert_eq!(
                failed.unwrap_err().to_string(),
                format!(
                    "the key provider cannot be reached: token {:?}: C_Encrypt answered {code:?}",
                    SoftHsm::LABEL
                )
            );
            assert_eq!(generations.len(), times, "{code:?}");
            generations.dedup();
            assert_eq!(generations.len(), times, "each time by sessions of its own");
        }
        // The control: the token does what is asked of it.
        generation(&token);
    });
}

#[test]
fn what_was_found_before_the_module_began_anew_is_not_used_after() {
    with_token(|hsm| {
        let token = token(hsm);
        let before = generation(&token);
        assert_eq!(generation(&token), before);
        let epoch = token.module.calling().epoch();
        token.module.begin_anew(epoch);
        let after = generation(&token);
        assert_ne!(after, before);
        assert_eq!(generation(&token), after);
    });
}
