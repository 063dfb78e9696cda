//! `struct sockaddr_in` and `sockaddr_in6` of the platform, as bytes of the host.

use std::mem::{MaybeUninit, size_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::slice;

/// A socket address of the platform.
///
/// # Safety
/// Plain numbers: any bytes are a value, and there is no padding.
unsafe trait Raw: Sized {}
// SAFETY: numbers without padding (RFC 3493 §3.3 and the C library's headers).
unsafe impl Raw for libc::sockaddr_in {}
// SAFETY: as above.
unsafe impl Raw for libc::sockaddr_in6 {}

fn from_bytes<T: Raw>(bytes: &[u8]) -> Option<T> {
    let bytes = bytes.get(..size_of::<T>())?;
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: as many bytes as the type has, and `Raw` says that any are a value.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), value.as_mut_ptr().cast::<u8>(), size_of::<T>());
        Some(value.assume_init())
    }
}

fn to_bytes<T: Raw>(value: &T) -> &[u8] {
    // SAFETY: `Raw` says that every byte is one of a number.
    unsafe { slice::from_raw_parts(std::ptr::from_ref(value).cast::<u8>(), size_of::<T>()) }
}

/// The address; `None`: another family, or too short.
pub(crate) fn read(bytes: &[u8]) -> Option<SocketAddr> {
    // Shorter than sockaddr_in is neither; both have the family at the same place.
    let v4: libc::sockaddr_in = from_bytes(bytes)?;
    match i32::from(v4.sin_family) {
        libc::AF_INET => {
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(v4.sin_port))))
        }
        libc::AF_INET6 => {
            let v6: libc::sockaddr_in6 = from_bytes(bytes)?;
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            let port = u16::from_be(v6.sin6_port);
            Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id)))
        }
        _ => None,
    }
}

/// Gives the bytes of the address to `take`.
pub(crate) fn write<T>(address: SocketAddr, take: impl FnOnce(&[u8]) -> T) -> T {
    match address {
        SocketAddr::V4(address) => {
            // SAFETY: `Raw` says that zeros are a value.
            let mut raw: libc::sockaddr_in = unsafe { std::mem::zeroed() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = address.port().to_be();
            raw.sin_addr.s_addr = u32::from(*address.ip()).to_be();
            take(to_bytes(&raw))
        }
        SocketAddr::V6(address) => {
            // SAFETY: `Raw` says that zeros are a value.
            let mut raw: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = address.port().to_be();
            raw.sin6_addr.s6_addr = address.ip().octets();
            raw.sin6_scope_id = address.scope_id();
            take(to_bytes(&raw))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (text, length) in [("192.0.2.1:5060", 16), ("[fe80::1%7]:5061", 28)] {
            let address: SocketAddr = text.parse().unwrap();
            write(address, |bytes| {
                assert_eq!(bytes.len(), length);
                assert_eq!(read(bytes), Some(address));
                assert_eq!(read(&bytes[..length - 1]), None);
            });
        }
        assert_eq!(read(&[0; 128]), None);
    }
}
