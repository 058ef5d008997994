/* SPDX-License-Identifier: MIT */
/* test_load_limit.c - for tools/magpie/load_limit.c, load_figures.c and load_units.c, which no library contains: they
 * are compiled in here. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../tools/magpie/histogram.c"
#include "../../tools/magpie/load_figures.c"
#include "../../tools/magpie/load_limit.c"
#include "../../tools/magpie/load_units.c"

Test(load_units, times_are_read, .timeout = 10)
{
	static const struct {
		const char *text;
		uint64_t bare, ns;
	} right[] = {
		{ "10s", 0, 10000000000u },
		{ "1.5m", 0, 90000000000u },
		{ "250ms", 0, 250000000 },
		{ "50us", 0, 50000 },
		{ "7ns", 0, 7 },
		{ "2h", 0, 7200000000000u },
		{ "1m30s", 0, 90000000000u },
		{ "1h0m0.5s", 0, 3600500000000u },
		{ "3", 1000000000, 3000000000u },
		{ "0.25", 1000000000, 250000000 },
		{ "1000h", 0, 3600000000000000u },
		{ "0s", 0, 0 },
	};
	static const char *const wrong[] = { "",     "s",   "10",  "1d",  "-1s", "+1s",  "1 s",   " 1s", "1s ", "1e3s",
					     "0x1s", "inf", "nan", "1.s", ".5s", "1s30", "1001h", "1ss", "1,5s" };
	uint64_t ns;

	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		cr_assert(!load_read_time(right[i].text, right[i].bare, &ns) && ns == right[i].ns, "%s: %llu",
			  right[i].text, (unsigned long long)ns);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert(load_read_time(wrong[i], 0, &ns), "%s", wrong[i]);
}

Test(load_units, numbers_are_read, .timeout = 10)
{
	static const char *const wrong[] = { "", "-1", "1x", "inf", "1e5", "0x10", " 1", "1.", "." };
	double v;

	cr_assert(!load_read_number("12.5", &v) && v == 12.5);
	cr_assert(!load_read_number("0", &v) && v == 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		cr_assert(load_read_number(wrong[i], &v), "%s", wrong[i]);
}

Test(load_units, what_is_written, .timeout = 10)
{
	static const struct {
		double ns;
		const char *text;
	} times[] = { { 0, "0 ns" },         { 999, "999 ns" },      { 1000, "1.00 us" },    { 12340, "12.3 us" },
		      { 123400, "123 us" },  { 1234567, "1.23 ms" }, { 99960000, "100 ms" }, { 1500000000, "1.50 s" },
		      { 9.996e9, "10.0 s" }, { 3600e9, "3600 s" } };
	char text[LOAD_TEXT];

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		cr_assert_str_eq(load_write_time(text, times[i].ns), times[i].text);
	cr_assert_str_eq(load_write_count(text, 0), "0");
	cr_assert_str_eq(load_write_count(text, 999), "999");
	cr_assert_str_eq(load_write_count(text, 1000), "1,000");
	cr_assert_str_eq(load_write_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
	cr_assert_str_eq(load_write_bytes(text, 1023), "1023 B");
	cr_assert_str_eq(load_write_bytes(text, 1536), "1.5 KiB");
	cr_assert_str_eq(load_write_bytes(text, 1e18), "909495 TiB");
}

/* 1000 answers of 1 ms … 1000 ms in 10 s, ten of them with status 500; five more requests with errors. */
static struct load *some_load(void)
{
	static struct load load;

	memset(&load, 0, sizeof load);
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_add(&load.all.latency, i * MAG_MILLISECOND);
	load.all.answers = 1000;
	load.all.status[200] = 990;
	load.all.status[500] = 10;
	load.all.errors[LOAD_RESET] = 5;
	load.window_ns = load.elapsed_ns = 10 * MAG_SECOND;
	load.worker_count = 1;
	return &load;
}

Test(load_limit, conditions_hold_or_do_not, .timeout = 10)
{
	static const struct {
		const char *text;
		bool broken;
		double value;
	} cases[] = {
		{ "p50>400ms", true, 500e6 },
		{ "p50>600ms", false, 500e6 },
		{ "p99 > 985ms", true, 990e6 },
		{ "p99>1s", false, 990e6 },
		{ "p99.9<1100ms", true, 999e6 },
		{ "p100>=1s", true, 1e9 },
		{ "p100>1s", false, 1e9 },
		{ "max<=1s", true, 1e9 },
		{ "max<1s", false, 1e9 },
		{ "min>=1ms", true, 1e6 },
		{ "min<1ms", false, 1e6 },
		{ "mean>500ms", true, 500.5e6 },
		{ "mean>501ms", false, 500.5e6 },
		{ "rps<101", true, 100 },
		{ "rps<100", false, 100 },
		{ "rps<=100", true, 100 },
		{ "errors>14", true, 15 },
		{ "errors>15", false, 15 },
		{ "requests<1001", true, 1000 },
		{ "requests<1000", false, 1000 },
		{ "error-rate>1%", true, 15.0 / 1005 },
		{ "error-rate>0.02", false, 15.0 / 1005 },
		{ "error-rate>1.5%", false, 15.0 / 1005 },
	};
	const struct load *load = some_load();

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct load_limit limit;
		const char *why = load_limit_read(&limit, cases[i].text);
		double value;

		cr_assert(!why, "%s: %s", cases[i].text, why);
		cr_assert(load_limit_is_broken(&limit, load, &value) == cases[i].broken, "%s: %g", cases[i].text,
			  value);
		cr_assert(value >= cases[i].value && value <= cases[i].value * 1.01, "%s: %g", cases[i].text, value);
	}
}

Test(load_limit, what_cannot_be_read_is_said, .timeout = 10)
{
	static const char *const wrong[] = {
		"",
		"p99",
		"p99>",
		">50ms",
		"p99=50ms",
		"p99>50",
		"p99>50x",
		"p99>-1ms",
		"p>50ms",
		"p0>1ms",
		"p101>1ms",
		"q99>50ms",
		"p99>>50ms",
		"p99>=>50ms",
		"rps<",
		"rps<10ms",
		"rps<10%",
		"errors>x",
		"error-rate>2",
		"error-rate>101%",
		"error-rate>%",
		"mean>1",
		"p99>50ms>1ms",
		"pp9>1ms",
		"rps<inf",
		"p99>0000000000000000000000000000000000000000000001ms",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct load_limit limit;
		const char *why = load_limit_read(&limit, wrong[i]);

		cr_assert(why && strlen(why) > 5 && !strchr(why, '\n'), "%s", wrong[i]);
	}
}

Test(load_limit, who_answers_nothing_does_not_pass, .timeout = 10)
{
	static struct load load;
	struct load_limit limit;
	double value;

	cr_assert(!load_limit_read(&limit, "p99>50ms") && load_limit_is_broken(&limit, &load, &value));
	cr_assert(!load_limit_read(&limit, "errors>0") && !load_limit_is_broken(&limit, &load, &value));
}

Test(load_limit, values_are_told_in_their_unit, .timeout = 10)
{
	struct load_limit limit;
	char text[LOAD_TEXT];

	cr_assert(!load_limit_read(&limit, "p99>50ms"));
	cr_assert_str_eq(load_limit_write(&limit, 61.2e6, text), "61.2 ms");
	cr_assert(!load_limit_read(&limit, "rps<1"));
	cr_assert_str_eq(load_limit_write(&limit, 99.96, text), "100.0");
	cr_assert(!load_limit_read(&limit, "errors>1"));
	cr_assert_str_eq(load_limit_write(&limit, 1234, text), "1,234");
	cr_assert(!load_limit_read(&limit, "error-rate>1"));
	cr_assert_str_eq(load_limit_write(&limit, 0.015, text), "1.5 %");
}

Test(load_figures, late_answers_are_no_part_of_the_rate, .timeout = 10)
{
	struct load *load = some_load();

	load->all.late = 100;
	cr_assert(load_rate(load) == 90);
	load->window_ns = 0;
	cr_assert(load_rate(load) == 0);
}

Test(load_figures, who_was_the_bottleneck_is_said, .timeout = 10)
{
	char texts[LOAD_DOUBTS][LOAD_DOUBT_TEXT];
	struct load *load = some_load();
	int own;

	cr_assert(load_doubts(load, texts, &own) == 0 && own == 0);
	load->self.cpu_ns = 89 * MAG_SECOND / 10;
	cr_assert(load_doubts(load, texts, &own) == 0);
	load->self.cpu_ns = 91 * MAG_SECOND / 10;
	cr_assert(load_doubts(load, texts, &own) == 1 && own == 1 && strstr(texts[0], "91 %"));
	load->worker_count = 2;
	cr_assert(load_doubts(load, texts, &own) == 0);
	load->self.wait_ns = 5 * MAG_SECOND;
	cr_assert(load_doubts(load, texts, &own) == 1 && own == 1 && strstr(texts[0], "25 %"));
	load->self.wait_ns = 0;
	for (int i = 0; i < 98; i++)
		histogram_add(&load->lateness, 10);
	histogram_add(&load->lateness, 2 * MAG_MILLISECOND);
	histogram_add(&load->lateness, 2 * MAG_MILLISECOND);
	cr_assert(load_doubts(load, texts, &own) == 1 && own == 1 && strstr(texts[0], "2.00 ms"));
	load->unsent = 12345;
	load->plan.connections = 7;
	cr_assert(load_doubts(load, texts, &own) == 2 && own == 1);
	cr_assert(strstr(texts[1], "12,345") && strstr(texts[1], "all 7 connections"));
}
