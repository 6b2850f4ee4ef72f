//! Our engine. The only file of the comparison that knows how it is called.

use crate::amounts::{Amount, DECIMALS, Totals, Volumes};
use crate::case::Case;
use roamwatt::domain::tariff::Price;
use roamwatt::pricing::{CdrToPrice, PricingPolicy, Rounding, price_cdr};

/// What we say the case costs, published in as many decimals and rounded as the other engine prints it, so that
/// every digit of the computation is compared.
pub(crate) fn price(case: &Case) -> Result<Totals, String> {
    let cdr = CdrToPrice {
        start: case.start(),
        end: case.end(),
        zone: case.session.zone,
        tariffs: &case.tariffs,
        periods: &case.periods,
    };
    let decimals = u8::try_from(DECIMALS).ok();
    let policy = PricingPolicy { rounding: Rounding::HalfEven, decimals, ..PricingPolicy::default() };
    let cost = price_cdr(&cdr, &policy).map_err(|error| error.to_string())?;
    let part = |price: Option<&Price>| price.map(amount).unwrap_or_default();
    Ok(Totals {
        total: amount(&cost.total),
        fixed: part(cost.fixed.as_ref()),
        energy: part(cost.energy.as_ref()),
        time: part(cost.time.as_ref()),
        parking: part(cost.parking.as_ref()),
        reservation: Some(part(cost.reservation.as_ref())),
        volumes: Volumes {
            energy: cost.total_energy.decimal(),
            time: cost.total_time,
            parking: cost.total_parking_time,
        },
    })
}

/// Where no VAT applies we tell no amount after VAT, and the other engine the same as before VAT.
fn amount(price: &Price) -> Amount {
    let net = price.excl_vat.decimal();
    Amount { net, gross: Some(price.incl_vat.map_or(net, |gross| gross.decimal())) }
}
