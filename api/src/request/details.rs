//! What both bodies share: merchant, amount, customer, device, metadata.

use std::net::IpAddr;

use domain::MerchantId;
use domain::payment::{
    CustomerDetails, DetailsText, DeviceDetails, MAX_METADATA_ENTRIES, MetadataText, PaymentDetails,
};
use domain::text::BoundedText;

use super::amount;
use super::field_errors::FieldErrors;
use super::scope::{
    Field, Scope, bounded, check_duplicates, country, identifier, invalid_text, object, text,
};
use crate::problem::ProblemCode;

const CUSTOMER_FIELDS: &[&str] = &["id", "email", "billing_country", "shipping_country"];
const DEVICE_FIELDS: &[&str] = &["id", "ip", "ip_country", "user_agent"];

/// Everything but the card, which the use case fills in once it has no number any more.
pub(super) fn read(scope: &Scope<'_>, errors: &mut FieldErrors) -> Option<PaymentDetails> {
    let merchant_id = scope.required("merchant_id", "a string", errors, |field, errors| {
        identifier(field, errors, MerchantId::parse)
    });
    let merchant_category = scope.optional("merchant_category", errors, merchant_category);
    let amount = scope.required("amount", "an object", errors, amount::read);
    let customer = scope.optional("customer", errors, customer);
    let device = scope.optional("device", errors, device);
    let metadata = scope.optional("metadata", errors, metadata).unwrap_or_default();
    Some(PaymentDetails {
        merchant_id: merchant_id?,
        merchant_category,
        amount: amount?,
        card: None,
        customer,
        device,
        metadata,
    })
}

fn merchant_category(field: &Field<'_>, errors: &mut FieldErrors) -> Option<BoundedText<4>> {
    let text = text(field, errors)?;
    let is_code = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    let code = is_code.then(|| BoundedText::parse(text).ok()).flatten();
    if code.is_none() {
        errors.add(
            ProblemCode::InvalidMerchantCategory,
            &field.path,
            "expected four digits of ISO 18245, such as \"5411\"",
        );
    }
    code
}

fn customer(field: &Field<'_>, errors: &mut FieldErrors) -> Option<CustomerDetails> {
    let scope = Scope::open(object(field, errors)?, &field.path, CUSTOMER_FIELDS, errors);
    Some(CustomerDetails {
        id: scope.optional("id", errors, bounded),
        email: scope.optional("email", errors, bounded),
        billing_country: scope.optional("billing_country", errors, country),
        shipping_country: scope.optional("shipping_country", errors, country),
    })
}

fn device(field: &Field<'_>, errors: &mut FieldErrors) -> Option<DeviceDetails> {
    let scope = Scope::open(object(field, errors)?, &field.path, DEVICE_FIELDS, errors);
    Some(DeviceDetails {
        id: scope.optional("id", errors, bounded),
        ip: scope.optional("ip", errors, ip_address),
        ip_country: scope.optional("ip_country", errors, country),
        user_agent: scope.optional("user_agent", errors, bounded),
    })
}

/// In its one canonical form, so that a payer is not counted as two by another spelling of the same address.
fn ip_address(field: &Field<'_>, errors: &mut FieldErrors) -> Option<DetailsText> {
    let text = text(field, errors)?;
    let Ok(address) = text.parse::<IpAddr>() else {
        errors.add(
            ProblemCode::InvalidIpAddress,
            &field.path,
            "expected an IPv4 or IPv6 address, such as `203.0.113.7`",
        );
        return None;
    };
    let canonical = match address {
        // Its only spelling that is taken.
        IpAddr::V4(_) => DetailsText::parse(text),
        IpAddr::V6(_) => DetailsText::parse(&address.to_canonical().to_string()),
    };
    canonical
        .map_err(|error| invalid_text(error, &field.path, errors))
        .ok()
}

fn metadata(field: &Field<'_>, errors: &mut FieldErrors) -> Option<Vec<(MetadataText, MetadataText)>> {
    let object = object(field, errors)?;
    check_duplicates(object, &field.path, errors);
    if object.total > MAX_METADATA_ENTRIES {
        errors.add(
            ProblemCode::TooManyMetadataEntries,
            &field.path,
            format_args!(
                "expected at most {MAX_METADATA_ENTRIES} entries, found {}",
                object.total
            ),
        );
        return None;
    }
    let mut entries = Vec::with_capacity(object.fields.len());
    for (position, (name, value)) in object.fields.iter().enumerate() {
        let path = field.path.entry(name, position);
        let key = MetadataText::parse(name)
            .map_err(|error| {
                errors.add(
                    ProblemCode::InvalidText,
                    &path,
                    format_args!("the entry's name {error}"),
                );
            })
            .ok();
        let value = bounded(&Field { value, path }, errors);
        entries.extend(key.zip(value));
    }
    Some(entries)
}
