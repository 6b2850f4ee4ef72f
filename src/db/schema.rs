//! The tables, as diesel sees them on both engines; kept in step with `migrations/` by hand.
#![expect(missing_docs, reason = "diesel generates the items; the columns are explained in the migrations")]

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    parties (country_code, party_id) {
        country_code -> Text,
        party_id -> Text,
        name -> Text,
        website -> Nullable<Text>,
        roles -> Text,
        created -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    api_keys (id) {
        id -> BigInt,
        name -> Text,
        role -> Text,
        hash -> Text,
        created -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    partners (id) {
        id -> BigInt,
        name -> Text,
        status -> Text,
        versions_url -> Nullable<Text>,
        version -> Nullable<Text>,
        endpoints -> Text,
        roles -> Text,
        allowed_origins -> Text,
        delivery -> Text,
        token_encoding -> Text,
        token_in_hash -> Nullable<Text>,
        token_in_previous_hash -> Nullable<Text>,
        token_out_sealed -> Nullable<Text>,
        created -> Instant,
        last_updated -> Instant,
        retry_at -> Nullable<Instant>,
        failures -> Integer,
        last_error -> Nullable<Text>,
        last_contact -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    partner_roles (country_code, party_id, role) {
        country_code -> Text,
        party_id -> Text,
        role -> Text,
        partner_id -> BigInt,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    partner_changes (partner_id, module, object_key) {
        partner_id -> BigInt,
        module -> Text,
        object_key -> Text,
        generation -> BigInt,
        changed_at -> Instant,
        attempts -> Integer,
        set_aside -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    locations (seq) {
        seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        id -> Text,
        partner_id -> Nullable<BigInt>,
        publish -> Bool,
        body -> Text,
        last_updated -> Instant,
        tariff_ids -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    tariffs (seq) {
        seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        id -> Text,
        partner_id -> Nullable<BigInt>,
        body -> Text,
        last_updated -> Instant,
        start_at -> Nullable<Instant>,
        end_at -> Nullable<Instant>,
}
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    tariff_groups (id) {
        id -> Text,
        name -> Text,
        members -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    tariff_assignments (id) {
        id -> BigInt,
        country_code -> Text,
        party_id -> Text,
        tariff_id -> Text,
        location_id -> Nullable<Text>,
        valid_from -> Nullable<Instant>,
        valid_to -> Nullable<Instant>,
        body -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    tariff_news (seq) {
        seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        cursor -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    tokens (seq) {
        seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        uid -> Text,
        token_type -> Text,
        partner_id -> Nullable<BigInt>,
        id_tag -> Text,
        valid -> Bool,
        body -> Text,
        last_updated -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    stations (id) {
        id -> Text,
        country_code -> Text,
        party_id -> Text,
        location_id -> Text,
        auth -> Text,
        password_hash -> Nullable<Text>,
        vendor -> Nullable<Text>,
        model -> Nullable<Text>,
        serial_number -> Nullable<Text>,
        firmware_version -> Nullable<Text>,
        booted_at -> Nullable<Instant>,
        last_seen -> Nullable<Instant>,
        online -> Bool,
        created -> Instant,
        last_updated -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    station_connectors (station_id, number) {
        station_id -> Text,
        number -> Integer,
        country_code -> Text,
        party_id -> Text,
        location_id -> Text,
        evse_uid -> Text,
        connector_id -> Text,
        status -> Nullable<Text>,
        error_code -> Nullable<Text>,
        status_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    sessions (seq) {
        seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        id -> Text,
        partner_id -> Nullable<BigInt>,
        token_country -> Text,
        token_party -> Text,
        token_uid -> Text,
        status -> Text,
        kwh -> Exact,
        start_at -> Instant,
        body -> Text,
        last_updated -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    cdrs (seq) {
        seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        id -> Text,
        partner_id -> Nullable<BigInt>,
        token_country -> Text,
        token_party -> Text,
        token_uid -> Text,
        session_id -> Nullable<Text>,
        credit -> Bool,
        start_at -> Instant,
        end_at -> Instant,
        total_energy -> Exact,
        total_excl -> Exact,
        total_incl -> Nullable<Exact>,
        currency -> Text,
        body -> Text,
        policy -> Nullable<Text>,
        last_updated -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    cdr_checks (cdr_seq) {
        cdr_seq -> BigInt,
        state -> Text,
        differences -> Text,
        warnings -> Text,
        checked_at -> Instant,
        dispute -> Text,
        dispute_note -> Nullable<Text>,
        dispute_by -> Nullable<Text>,
        dispute_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    cdr_credits (credit_seq) {
        credit_seq -> BigInt,
        country_code -> Text,
        party_id -> Text,
        reference_id -> Nullable<Text>,
        cdr_seq -> Nullable<BigInt>,
        replacement_seq -> Nullable<BigInt>,
        reason -> Text,
        made_by -> Text,
        made_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    charges (session_id) {
        session_id -> Text,
        country_code -> Text,
        party_id -> Text,
        station_id -> Text,
        connector -> Integer,
        transaction_id -> Integer,
        id_tag -> Text,
        start_key -> Text,
        started_at -> Instant,
        meter_start -> Exact,
        stopped_at -> Nullable<Instant>,
        meter_stop -> Nullable<Exact>,
        stop_reason -> Nullable<Text>,
        stop_key -> Nullable<Text>,
        state -> Text,
        settle_at -> Nullable<Instant>,
        zone -> Text,
        tariff -> Nullable<Text>,
        running -> Text,
        reference -> Text,
        last_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    meter_samples (seq) {
        seq -> BigInt,
        session_id -> Text,
        at -> Instant,
        context -> Text,
        register -> Nullable<Exact>,
        power -> Nullable<Exact>,
        current -> Nullable<Exact>,
        activity -> Nullable<Text>,
        digest -> Text,
        raw -> Text,
        signed_values -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    late_messages (seq) {
        seq -> BigInt,
        station_id -> Text,
        received_at -> Instant,
        action -> Text,
        reason -> Text,
        session_id -> Nullable<Text>,
        digest -> Text,
        payload -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    commands (id) {
        id -> Text,
        kind -> Text,
        direction -> Text,
        partner_id -> Nullable<BigInt>,
        from_party -> Nullable<Text>,
        to_party -> Nullable<Text>,
        station_id -> Nullable<Text>,
        connector -> Nullable<Integer>,
        id_tag -> Nullable<Text>,
        session_id -> Nullable<Text>,
        authorization_reference -> Nullable<Text>,
        token -> Nullable<Text>,
        response_url -> Nullable<Text>,
        correlation_id -> Nullable<Text>,
        state -> Text,
        result -> Nullable<Text>,
        message -> Nullable<Text>,
        created -> Instant,
        expires_at -> Instant,
        delivered -> Bool,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    station_frames (seq) {
        seq -> BigInt,
        station_id -> Text,
        at -> Instant,
        kind -> Text,
        frame -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    frame_watches (station_id) {
        station_id -> Text,
        until -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    load_sites (id) {
        id -> Text,
        document -> Text,
        revision -> BigInt,
        changed_at -> Instant,
        grid_limit -> Nullable<Text>,
        view -> Nullable<Text>,
        view_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    load_ledger (station_id, connector) {
        station_id -> Text,
        connector -> Integer,
        page -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    load_events (seq) {
        seq -> BigInt,
        site_id -> Text,
        at -> Instant,
        kind -> Text,
        about -> Text,
        detail -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    load_history (site_id, at) {
        site_id -> Text,
        at -> Instant,
        rows -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    load_outlooks (site_id) {
        site_id -> Text,
        document -> Nullable<Text>,
        revision -> BigInt,
        changed_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    own_evses (country_code, party_id, location_id, evse_uid) {
        country_code -> Text,
        party_id -> Text,
        location_id -> Text,
        evse_uid -> Text,
        evse_id -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_merchants (country_code, party_id) {
        country_code -> Text,
        party_id -> Text,
        body -> Text,
        last_receipt -> BigInt,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payments (id) {
        id -> Text,
        key_hash -> Text,
        country_code -> Text,
        party_id -> Text,
        location_id -> Text,
        evse_uid -> Text,
        connector_id -> Text,
        station_id -> Text,
        connector -> Integer,
        provider -> Text,
        account -> Nullable<Text>,
        intent_id -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        currency -> Text,
        hold -> Exact,
        held -> Exact,
        captured -> Exact,
        released -> Exact,
        refunded -> Exact,
        disputed -> Exact,
        written_off -> Exact,
        id_tag -> Text,
        command_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        cdr_seq -> Nullable<BigInt>,
        created -> Instant,
        last_updated -> Instant,
        next_at -> Nullable<Instant>,
        details -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    driver_apps (id) {
        id -> Text,
        name -> Text,
        country_code -> Text,
        party_id -> Text,
        secret_hash -> Text,
        oidc_issuer -> Nullable<Text>,
        oidc_audience -> Nullable<Text>,
        created -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_claims (country_code, party_id, location_id, evse_uid) {
        country_code -> Text,
        party_id -> Text,
        location_id -> Text,
        evse_uid -> Text,
        payment_id -> Text,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    drivers (id) {
        id -> Text,
        app_id -> Text,
        issuer -> Text,
        subject -> Text,
        created -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    driver_tokens (country_code, party_id, uid, token_type) {
        country_code -> Text,
        party_id -> Text,
        uid -> Text,
        token_type -> Text,
        driver_id -> Text,
        added -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_operations (seq) {
        seq -> BigInt,
        payment_id -> Text,
        kind -> Text,
        attempt -> Integer,
        idempotency_key -> Text,
        amount -> Nullable<Exact>,
        state -> Text,
        provider_ref -> Nullable<Text>,
        note -> Nullable<Text>,
        asked_by -> Nullable<Text>,
        created -> Instant,
        done_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_events (provider, id) {
        provider -> Text,
        id -> Text,
        kind -> Text,
        account -> Nullable<Text>,
        object_id -> Nullable<Text>,
        payment_id -> Nullable<Text>,
        made_at -> Instant,
        received_at -> Instant,
        handled -> Bool,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_ledger (seq) {
        seq -> BigInt,
        payment_id -> Text,
        country_code -> Text,
        party_id -> Text,
        kind -> Text,
        amount -> Exact,
        currency -> Text,
        at -> Instant,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_terminals (id) {
        id -> Text,
        country_code -> Text,
        party_id -> Text,
        body -> Text,
        last_updated -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    payment_confirmations (id) {
        id -> Text,
        authorization_reference -> Text,
        payment_id -> Text,
        body -> Text,
        last_updated -> Instant,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    receipt_mails (payment_id) {
        payment_id -> Text,
        address -> Text,
        tries -> Integer,
        asked_at -> Instant,
        next_at -> Nullable<Instant>,
        sent_at -> Nullable<Instant>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    driver_grants (id) {
        id -> Text,
        driver_id -> Text,
        created -> Instant,
        expires_at -> Instant,
        revoked -> Bool,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    driver_refresh_tokens (hash) {
        hash -> Text,
        grant_id -> Text,
        used -> Bool,
    }
}

diesel::table! {
    use crate::db::types::{Exact, Instant};
    use diesel::sql_types::*;

    driver_orders (id) {
        id -> Text,
        driver_id -> Text,
        idempotency_key -> Text,
        digest -> Text,
        body -> Text,
        created -> Instant,
    }
}

diesel::joinable!(partner_roles -> partners (partner_id));
diesel::allow_tables_to_appear_in_same_query!(partners, partner_roles);
diesel::allow_tables_to_appear_in_same_query!(stations, station_connectors);
diesel::allow_tables_to_appear_in_same_query!(cdrs, cdr_checks);
diesel::allow_tables_to_appear_in_same_query!(payments, cdr_credits);
diesel::allow_tables_to_appear_in_same_query!(payments, charges);
diesel::allow_tables_to_appear_in_same_query!(payments, cdrs);
diesel::joinable!(drivers -> driver_apps (app_id));
diesel::allow_tables_to_appear_in_same_query!(drivers, driver_apps);
