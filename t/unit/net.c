/* SPDX-License-Identifier: ISC */
#include "base/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage address;

	if (!mg_net_parse(text, 25, &address))
		fail_msg("%s is no address", text);
	return address;
}

/* What the kernel gives for an IPv4 client on an IPv6 socket. */
static struct sockaddr_storage mapped_address(const char *text, uint16_t port)
{
	struct sockaddr_storage address = {.ss_family = AF_INET6};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

	assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	in6->sin6_port = htons(port);
	return address;
}

static void addresses_are_read_and_written_in_one_normal_form(void **state)
{
	static const struct {
		const char *text, *normal;
		int family;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", AF_INET},
		{"0.0.0.0", "0.0.0.0", AF_INET},
		{"255.255.255.255", "255.255.255.255", AF_INET},
		{"::", "::", AF_INET6},
		{"2001:db8::1", "2001:db8::1", AF_INET6},
		{"IPv6:2001:db8::1", "2001:db8::1", AF_INET6},
		{"ipv6:2001:DB8::1", "2001:db8::1", AF_INET6},
		/* RFC 5952 section 4: zeros, case, the longest run, the first of two, no run of one. */
		{"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1", AF_INET6},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", AF_INET6},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", AF_INET6},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", AF_INET6},
		{"fe80:0:0:0:0:0:0:0", "fe80::", AF_INET6},
		{"2001:db8:1:2:3:4:192.0.2.1", "2001:db8:1:2:3:4:c000:201", AF_INET6},
		/* IPv4-mapped is IPv4. */
		{"::ffff:192.0.2.1", "192.0.2.1", AF_INET},
		{"IPv6:::FFFF:c000:0201", "192.0.2.1", AF_INET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage address = address_of(rows[i].text);
		char text[46];

		assert_int_equal(address.ss_family, rows[i].family);
		mg_net_format(&address, text, sizeof(text));
		assert_string_equal(text, rows[i].normal);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"localhost",
		"192.0.2",
		"192.0.2.1.",
		"192.0.2.256",
		"192.0.2.01",
		" 192.0.2.1",
		"192.0.2.1 ",
		"192.0.2.1:25",
		"0x7f.0.0.1",
		"1",
		":",
		":::",
		"2001:db8::1::2",
		"2001:db8:1",
		"[2001:db8::1]",
		"2001:db8::g",
		"12345::",
		"fe80::1%lo",
		"IPv6:",
		"IPv6:192.0.2.1",
		"IPv6:IPv6:::1",
		"IPv6 ::1",
		"unknown",
	};
	struct sockaddr_storage address;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (mg_net_parse(texts[i], 0, &address))
			fail_msg("\"%s\" was taken for an address", texts[i]);
}

static void an_address_keeps_its_port(void **state)
{
	struct sockaddr_storage address;

	(void)state;
	assert_true(mg_net_parse("192.0.2.1", 65535, &address));
	assert_int_equal(mg_net_port(&address), 65535);
	assert_true(mg_net_parse("2001:db8::1", 25, &address));
	assert_int_equal(mg_net_port(&address), 25);
	assert_true(mg_net_parse("::ffff:192.0.2.1", 0, &address));
	assert_int_equal(mg_net_port(&address), 0);
}

static void a_session_key_is_address_and_port(void **state)
{
	char key[64];
	struct sockaddr_storage address;

	(void)state;
	assert_true(mg_net_parse("203.0.113.5", 39204, &address));
	mg_net_key(&address, key, sizeof(key));
	assert_string_equal(key, "203.0.113.5:39204");
	assert_true(mg_net_parse("2001:DB8:0::1", 39204, &address));
	mg_net_key(&address, key, sizeof(key));
	assert_string_equal(key, "[2001:db8::1]:39204");
	assert_true(mg_net_parse("1111:2222:3333:4444:5555:6666:7777:8888", 65535, &address));
	mg_net_key(&address, key, sizeof(key));
	assert_string_equal(key, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static void a_mapped_address_of_the_kernel_is_ipv4_everywhere(void **state)
{
	struct sockaddr_storage address = mapped_address("::ffff:127.0.0.1", 25);
	struct mg_network network;
	char text[64];

	(void)state;
	mg_net_format(&address, text, sizeof(text));
	assert_string_equal(text, "127.0.0.1");
	mg_net_key(&address, text, sizeof(text));
	assert_string_equal(text, "127.0.0.1:25");
	assert_true(mg_net_is_loopback(&address));
	assert_true(mg_network_parse("127.0.0.0/8", &network, NULL));
	assert_true(mg_network_contains(&network, &address));
	assert_true(mg_network_parse("::/0", &network, NULL));
	assert_false(mg_network_contains(&network, &address));
}

static void another_family_has_no_text_no_port_and_is_no_loopback(void **state)
{
	struct sockaddr_storage address = {.ss_family = AF_UNIX};
	struct mg_network network;
	char text[64] = "old";

	(void)state;
	mg_net_format(&address, text, sizeof(text));
	assert_string_equal(text, "");
	memcpy(text, "old", sizeof("old"));
	mg_net_key(&address, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(mg_net_port(&address), 0);
	assert_false(mg_net_is_loopback(&address));
	assert_true(mg_network_parse("0.0.0.0/0", &network, NULL));
	assert_false(mg_network_contains(&network, &address));
}

static void loopback_is_127_8_and_1(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {
		{"127.0.0.1", true},
		{"127.255.255.255", true},
		{"126.255.255.255", false},
		{"128.0.0.0", false},
		{"::1", true},
		{"::2", false},
		{"::", false},
		{"1::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage address = address_of(rows[i].text);

		assert_int_equal(mg_net_is_loopback(&address), rows[i].loopback);
	}
}

static void a_network_contains_what_shares_its_prefix(void **state)
{
	static const struct {
		const char *network, *address;
		bool contains;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"192.0.2.4/30", "192.0.2.7", true},
		{"192.0.2.4/30", "192.0.2.8", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.0", false},
		{"192.0.2.1/32", "192.0.2.1", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"128.0.0.0/1", "127.255.255.255", false},
		{"128.0.0.0/1", "255.0.0.0", true},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"2001:db8:8000::/33", "2001:db8:7fff::", false},
		{"2001:db8:8000::/33", "2001:db8:8000::1", true},
		{"2001:db8::1", "2001:db8::1", true},
		{"2001:db8::1", "2001:db8::2", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "192.0.2.1", false},
		/* same first bytes, another family */
		{"3230:0:0:0::/64", "50.48.0.0", false},
		{"::ffff:192.0.2.0/120", "192.0.2.9", true},
		{"::ffff:192.0.2.0/120", "192.0.3.9", false},
		{"::ffff:0.0.0.0/96", "203.0.113.9", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage address = address_of(rows[i].address);
		struct mg_network network;

		assert_true(mg_network_parse(rows[i].network, &network, NULL));
		if (mg_network_contains(&network, &address) != rows[i].contains)
			fail_msg("%s and %s", rows[i].network, rows[i].address);
	}
}

static void a_bad_network_is_refused_with_what_was_expected(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"192.0.2.1/24", "network \"192.0.2.1/24\": bits are set below the mask; "
				 "nearest: 192.0.2.0/24"},
		{"192.0.2.1/0", "network \"192.0.2.1/0\": bits are set below the mask; "
				"nearest: 0.0.0.0/0"},
		{"2001:db8::1/127", "network \"2001:db8::1/127\": bits are set below the mask; "
				    "nearest: 2001:db8::/127"},
		{"192.0.2.0/33", "network \"192.0.2.0/33\": expected /0 to /32"},
		{"192.0.2.0/", "network \"192.0.2.0/\": expected /0 to /32"},
		{"192.0.2.0/-1", "network \"192.0.2.0/-1\": expected /0 to /32"},
		{"192.0.2.0/24/1", "network \"192.0.2.0/24/1\": expected /0 to /32"},
		{"192.0.2.0/255.255.255.0",
			"network \"192.0.2.0/255.255.255.0\": expected /0 to /32"},
		{"2001:db8::/129", "network \"2001:db8::/129\": expected /0 to /128"},
		{"192.0.2/24", "network \"192.0.2/24\": expected ADDRESS or ADDRESS/BITS"},
		{"", "network \"\": expected ADDRESS or ADDRESS/BITS"},
		{"/24", "network \"/24\": expected ADDRESS or ADDRESS/BITS"},
		{"host\n", "network \"host\\x0a\": expected ADDRESS or ADDRESS/BITS"},
		{"IPv6:2001:db8::/32",
			"network \"IPv6:2001:db8::/32\": expected ADDRESS or ADDRESS/BITS"},
		{"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000/32",
			"network \"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000/32\": "
			"expected ADDRESS or ADDRESS/BITS"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mg_network network;
		struct mg_error error;

		assert_false(mg_network_parse(rows[i].text, &network, &error));
		assert_string_equal(error.text, rows[i].error);
	}
}

static void a_list_of_networks_contains_what_one_of_them_does(void **state)
{
	struct mg_network networks[2];
	struct sockaddr_storage inside = address_of("2001:db8::7");
	struct sockaddr_storage outside = address_of("203.0.113.1");

	(void)state;
	assert_true(mg_network_parse("192.0.2.0/24", &networks[0], NULL));
	assert_true(mg_network_parse("2001:db8::/64", &networks[1], NULL));
	assert_true(mg_networks_contain(networks, 2, &inside));
	assert_false(mg_networks_contain(networks, 1, &inside));
	assert_false(mg_networks_contain(networks, 2, &outside));
	assert_false(mg_networks_contain(NULL, 0, &inside));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written_in_one_normal_form),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_address_keeps_its_port),
		cmocka_unit_test(a_session_key_is_address_and_port),
		cmocka_unit_test(a_mapped_address_of_the_kernel_is_ipv4_everywhere),
		cmocka_unit_test(another_family_has_no_text_no_port_and_is_no_loopback),
		cmocka_unit_test(loopback_is_127_8_and_1),
		cmocka_unit_test(a_network_contains_what_shares_its_prefix),
		cmocka_unit_test(a_bad_network_is_refused_with_what_was_expected),
		cmocka_unit_test(a_list_of_networks_contains_what_one_of_them_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
