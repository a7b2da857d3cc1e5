//! What a person does at a client, in one call each.

use std::time::Duration;

use client::event::{MessageState, MessageView, Phase};
use client::id::ConversationId;
use client::{Command, Event};

use crate::error::HeadlessError;
use crate::runner::Headless;

/// Enough for Argon2id twice in an unoptimised build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

impl Headless {
    /// Registers, confirms the recovery key and waits until unlocked; gives the recovery key.
    pub async fn register(
        &mut self,
        handle: &str,
        passphrase: &str,
        setup: Option<&str>,
        invite: Option<&str>,
    ) -> Result<String, HeadlessError> {
        self.command(Command::Register {
            handle: handle.to_owned(),
            alias: handle.to_owned(),
            passphrase: passphrase.into(),
            setup: setup.map(Into::into),
            invite: invite.map(str::to_owned),
        })?;
        self.keep_recovery_key().await
    }

    /// Signs in and waits until unlocked.
    pub async fn sign_in(&mut self, handle: &str, passphrase: &str) -> Result<(), HeadlessError> {
        self.command(Command::SignIn {
            handle: handle.to_owned(),
            passphrase: passphrase.into(),
            device_name: Some("headless".to_owned()),
        })?;
        self.phase(Phase::Unlocked).await
    }

    /// Signs in with the recovery key and a new passphrase; gives the new recovery key.
    pub async fn recover(
        &mut self,
        handle: &str,
        recovery_key: &str,
        passphrase: &str,
    ) -> Result<String, HeadlessError> {
        self.command(Command::Recover {
            handle: handle.to_owned(),
            recovery_key: recovery_key.into(),
            passphrase: passphrase.into(),
        })?;
        self.keep_recovery_key().await
    }

    async fn keep_recovery_key(&mut self) -> Result<String, HeadlessError> {
        let event = self
            .expect(|event| matches!(event, Event::RecoveryKey { .. }))
            .await?;
        let Event::RecoveryKey { recovery_key, .. } = event else {
            return Err(HeadlessError::Closed);
        };
        self.command(Command::ConfirmRecoveryKey {
            typed: recovery_key.clone(),
        })?;
        self.phase(Phase::Unlocked).await?;
        Ok(recovery_key.expose().to_owned())
    }

    /// Waits for a phase.
    pub async fn phase(&mut self, phase: Phase) -> Result<(), HeadlessError> {
        self.expect(|event| matches!(event, Event::State(view) if view.state == phase))
            .await
            .map(drop)
    }

    /// Waits for the socket.
    pub async fn online(&mut self) -> Result<(), HeadlessError> {
        self.command(Command::Snapshot)?;
        self.expect(|event| matches!(event, Event::Connection { online: true, .. }))
            .await
            .map(drop)
    }

    /// Asks somebody for contact and gives the chat.
    pub async fn request_contact(&mut self, handle: &str) -> Result<ConversationId, HeadlessError> {
        self.command(Command::RequestContact {
            handle: handle.to_owned(),
            greeting: "".into(),
        })?;
        let event = self
            .expect(|event| {
                matches!(event, Event::Chats { chats } if chats.iter().any(|c| c.handle == handle))
            })
            .await?;
        match event {
            Event::Chats { chats } => chats
                .iter()
                .find(|c| c.handle == handle)
                .map(|c| c.chat)
                .ok_or(HeadlessError::Closed),
            _ => Err(HeadlessError::Closed),
        }
    }

    /// Waits for a request and accepts it; gives the chat.
    pub async fn accept_request(&mut self) -> Result<ConversationId, HeadlessError> {
        let event = self
            .expect(|event| matches!(event, Event::Requests { requests } if !requests.is_empty()))
            .await?;
        let Event::Requests { requests } = event else {
            return Err(HeadlessError::Closed);
        };
        let chat = requests
            .first()
            .map(|r| r.chat)
            .ok_or(HeadlessError::Closed)?;
        self.command(Command::AcceptRequest { chat })?;
        self.expect(|event| {
            matches!(event, Event::Chats { chats }
                if chats.iter().any(|c| c.chat == chat && c.relation == "contact"))
        })
        .await?;
        Ok(chat)
    }

    /// Says something and gives the message as the server has taken it.
    pub async fn say(
        &mut self,
        chat: ConversationId,
        text: &str,
    ) -> Result<MessageView, HeadlessError> {
        let tag = format!("say:{text}");
        self.command(Command::Send {
            chat,
            text: text.into(),
            burn: None,
            life_secs: None,
            tag: Some(tag.clone()),
        })?;
        self.message(|message| {
            message.tag.as_deref() == Some(&tag) && message.state != MessageState::Sending
        })
        .await
    }

    /// Waits for a message that the predicate likes.
    pub async fn message(
        &mut self,
        mut like: impl FnMut(&MessageView) -> bool,
    ) -> Result<MessageView, HeadlessError> {
        let event = self
            .expect(|event| matches!(event, Event::Message { message, .. } if like(message)))
            .await?;
        match event {
            Event::Message { message, .. } => Ok(message),
            _ => Err(HeadlessError::Closed),
        }
    }

    /// Waits for an incoming message with this text, and says that it was shown.
    pub async fn read(
        &mut self,
        chat: ConversationId,
        text: &str,
    ) -> Result<MessageView, HeadlessError> {
        let message = self
            .message(|m| !m.mine && m.text.as_ref().is_some_and(|t| t.expose() == text))
            .await?;
        self.command(Command::Shown {
            chat,
            messages: vec![message.id],
        })?;
        Ok(message)
    }

    /// The first event that fits; a `failed` event before it is an error.
    pub async fn expect(
        &mut self,
        mut like: impl FnMut(&Event) -> bool,
    ) -> Result<Event, HeadlessError> {
        let event = self
            .next_event(
                |event| like(event) || matches!(event, Event::Failed { .. }),
                PATIENCE,
            )
            .await?;
        match event {
            Event::Failed {
                during, code, text, ..
            } => Err(HeadlessError::Failed { during, code, text }),
            other => Ok(other),
        }
    }
}
