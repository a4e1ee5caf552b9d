#include "server/notify/http_post.hpp"

#include <doctest/doctest.h>

#include "server/notify/contacts.hpp"
#include "server/notify/smtp.hpp"

using namespace usher::server::notify;

TEST_CASE("http_post: the example of the Standard Webhooks specification: has the published signature") {
  const std::string key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  CHECK(webhook_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})") ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  CHECK(webhook_key("plain") == "plain");
}

TEST_CASE("http_post: addresses: those of the open internet are told from all others") {
  for (const char* address :
       {"127.0.0.1",   "10.1.2.3",      "172.16.0.1",   "172.31.255.255",  "192.168.1.1",     "169.254.169.254",
        "100.64.0.1",  "0.0.0.0",       "224.0.0.1",    "255.255.255.255", "198.51.100.7",    "::1",
        "::",          "fe80::1",       "fd00::1",      "ff02::1",         "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2001:db8::1", "2002:7f00:1::", "fe80::1%eth0", "not an address"}) {
    CAPTURE(address);
    CHECK(is_private_address(address));
  }
  for (const char* address :
       {"8.8.8.8", "172.32.0.1", "172.15.255.255", "100.128.0.1", "192.169.0.1", "2606:4700::1111", "::ffff:8.8.8.8"}) {
    CAPTURE(address);
    CHECK_FALSE(is_private_address(address));
  }
}

TEST_CASE("smtp: headers: are plain where they can be, and folded words where they must be") {
  CHECK(encode_header("Your tickets") == "Your tickets");
  CHECK(encode_header("Br\xc3\xbc"
                      "cke") == "=?UTF-8?B?QnLDvGNrZQ==?=");
  const std::string folded =
      encode_header(std::string(40, 'a') + "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc" + std::string(40, 'b'));
  CHECK(folded.find("?=\r\n =?UTF-8?B?") != std::string::npos);
  CHECK(encode_header("a\r\nBcc: x@y").find('\r') == std::string::npos);  // nobody adds a header by a title
}

TEST_CASE("contacts: addresses: are taken where they can stand in a header as they are") {
  for (const char* good : {"a@b", "first.last+tag@example.org"}) CHECK(is_email(good));
  for (const char* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x", "<a@b>", "a,b@c", "\"a\"@b"})
    CHECK_FALSE(is_email(bad));
  CHECK(is_phone("+4930123456"));
  for (const char* bad : {"", "+", "+49", "4930123456", "+49 30 123456", "+4930123456789012"})
    CHECK_FALSE(is_phone(bad));
}
