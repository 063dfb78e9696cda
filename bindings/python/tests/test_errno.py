"""What the operating system refuses has its number."""

from __future__ import annotations

import errno
import os
import resource

import pytest

import sipdlg


def test_an_address_in_use_and_one_that_is_not_ours() -> None:
    with sipdlg.Agent() as agent, sipdlg.Agent() as other:
        agent.listen("udp:127.0.0.1:0")
        for address, number in ((agent.local_addresses()[0], errno.EADDRINUSE), ("udp:192.0.2.1:5060", errno.EADDRNOTAVAIL)):
            with pytest.raises(OSError) as caught:
                other.listen(address)
            assert type(caught.value) is sipdlg.SystemRefusedError
            assert (caught.value.errno, caught.value.strerror) == (number, os.strerror(number))
            assert str(caught.value).startswith("SIPDLG_ERR_SYSTEM") and os.strerror(number) in str(caught.value)


@pytest.mark.parametrize("call", ["listen", "event_fd"])
def test_no_descriptor_left(call: str) -> None:
    with sipdlg.Agent() as agent:
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.open("/dev/null", os.O_RDONLY)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
        try:
            with pytest.raises(sipdlg.SystemRefusedError) as caught:
                agent.listen("udp:127.0.0.1:0") if call == "listen" else agent.event_fd()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert caught.value.errno == errno.EMFILE


def test_other_errors_have_none() -> None:
    assert sipdlg.SystemRefusedError(sipdlg.Status.ERR_SYSTEM, "no number").errno is None
    assert not isinstance(sipdlg.StateError(sipdlg.Status.ERR_STATE), OSError)
