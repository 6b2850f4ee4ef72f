//! What a change means for a partner at the moment it is told: the state of the object, that it is gone, or
//! nothing, where the partner may not see it.

use super::catalogue::roles_told_of;
use super::goods::{Viewer, is_told_of, show_location};
use super::link::{Gone, Object};
use crate::db::changes::Change;
use crate::db::{DbConn, DbResult, cdrs, locations, sessions, tariffs, tokens};
use crate::domain::partner::{InterfaceRole, ModuleId, Partner};
use crate::domain::party::{PartyId, Role};
use crate::domain::session::CdrToken;
use crate::domain::token::{TokenKey, TokenType};
use crate::domain::{CiString, Timestamp};

/// What has to be sent.
#[derive(Debug)]
pub(super) enum Due {
    /// The object as it is.
    State {
        object: Object,
        /// The only EVSE that changed, and only in its status.
        evse: Option<CiString>,
        /// The party that it is for.
        to: Option<PartyId>,
    },
    /// That the object is gone.
    Gone {
        gone: Gone,
        /// The party that it is for.
        to: Option<PartyId>,
    },
    /// Nothing.
    Nothing,
}

/// Whether a partner is told of a module's objects at all: it takes them, and plays a role that may see them.
pub(super) fn takes(partner: &Partner, module: &ModuleId) -> bool {
    let role = match module {
        ModuleId::Sessions | ModuleId::Cdrs => partner.roles.iter().any(|role| role.role == Role::Emsp),
        _ => first_told(partner, module).is_some(),
    };
    role && partner.endpoint(module, &InterfaceRole::Receiver).is_some()
}

/// For whom a message is that names nobody: the partner's first party that is told of such objects.
fn first_told(partner: &Partner, module: &ModuleId) -> Option<PartyId> {
    let told = roles_told_of(module);
    partner.roles.iter().find(|role| told.contains(&role.role)).map(|role| role.party.clone())
}

/// The object of a change as it is now, as far as the partner may see it.
///
/// # Errors
/// When the database fails.
pub(super) fn look_up(
    conn: &mut DbConn,
    partner: &Partner,
    change: &Change,
    now: Timestamp,
) -> DbResult<Due> {
    let Some((party, name)) = change.key.split() else { return Ok(Due::Nothing) };
    if !takes(partner, &change.module) {
        return Ok(Due::Nothing);
    }
    let to = first_told(partner, &change.module);
    let viewer = Viewer::of(partner);
    let state = |object, evse, to| Due::State { object, evse, to };
    let gone = |gone, to| Due::Gone { gone, to };
    let id = CiString::from(name);
    Ok(match change.module {
        ModuleId::Tariffs => match tariffs::find_with_owner(conn, &party, &id)? {
            Some((tariff, None)) if is_told_of(conn, &viewer, &party, &id)? => {
                state(Object::Tariff(Box::new(tariff)), None, to)
            }
            // The mark says that it was told of it until now.
            Some((tariff, None)) => gone(Gone::Tariff(party, tariff.id), to),
            Some((_, Some(_))) => Due::Nothing,
            None => gone(Gone::Tariff(party, id), to),
        },
        ModuleId::Locations => {
            let Some((party, id, evse)) = change.key.split_location() else { return Ok(Due::Nothing) };
            match locations::find_with_owner(conn, &party, &id)? {
                Some((location, None)) if location.is_for_partners() => {
                    let location = show_location(conn, location, &viewer, now)?;
                    state(Object::Location(Box::new(location)), evse, to)
                }
                Some((_, Some(_))) => Due::Nothing,
                // The mark of the whole says that partners were told of it until now.
                Some((location, None)) if evse.is_none() => gone(Gone::Location(party, location.id), to),
                None if evse.is_none() => gone(Gone::Location(party, id), to),
                _ => Due::Nothing,
            }
        }
        ModuleId::Tokens => {
            let Some((token_type, uid)) = name.split_once('*') else { return Ok(Due::Nothing) };
            let key = TokenKey { party, uid: uid.into(), token_type: TokenType::from(token_type) };
            match tokens::find(conn, &key)? {
                Some((token, None)) => state(Object::Token(Box::new(token)), None, to),
                Some((_, Some(_))) => Due::Nothing,
                None => gone(Gone::Token(key), to),
            }
        }
        ModuleId::Sessions => match sessions::find(conn, &party, &id)? {
            Some((session, None)) if is_of_driver(partner, &session.cdr_token) => {
                let to = session.cdr_token.party.clone();
                state(Object::Session(Box::new(session)), None, to)
            }
            _ => Due::Nothing,
        },
        ModuleId::Cdrs => match cdrs::find(conn, &party, &id)? {
            Some((cdr, None)) if is_of_driver(partner, &cdr.cdr_token) => {
                let to = cdr.cdr_token.party.clone();
                state(Object::Cdr(Box::new(cdr)), None, to)
            }
            _ => Due::Nothing,
        },
        _ => Due::Nothing,
    })
}

/// Sessions and CDRs are for the eMSP whose driver charged, and for nobody else.
fn is_of_driver(partner: &Partner, token: &CdrToken) -> bool {
    token.party.as_ref().is_some_and(|party| partner.speaks_for(party, &Role::Emsp))
}
