/** Metrics are in the text format that Prometheus reads, checked line by line against its grammar. */
import { expect, test } from "vitest";
import { Metrics } from "./metrics.ts";

test("counts, states and histograms", () => {
  const metrics = new Metrics();
  metrics.requests.add({ route: "/predict", status: "200" });
  metrics.requests.add({ route: "/predict", status: "200" }, 2);
  metrics.inFlight.set({}, 3);
  for (const rows of [1, 3, 200]) metrics.batchRows.observe({ model: 'a"b' }, rows);
  const lines = metrics.text().trimEnd().split("\n");
  // https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
  const grammar = /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [\d.e+-]+)$/;
  expect(lines.filter((line) => !grammar.test(line))).toEqual([]);
  expect(lines).toEqual(
    expect.arrayContaining([
      'sardonyx_requests_total{route="/predict",status="200"} 3',
      "sardonyx_requests_in_flight 3",
      'sardonyx_batch_rows_bucket{model="a\\"b",le="2"} 1',
      'sardonyx_batch_rows_bucket{model="a\\"b",le="4"} 2',
      'sardonyx_batch_rows_bucket{model="a\\"b",le="+Inf"} 3',
      'sardonyx_batch_rows_sum{model="a\\"b"} 204',
      'sardonyx_batch_rows_count{model="a\\"b"} 3',
    ]),
  );
});

test("several processes as one: counters and histograms are summed, the states of one that ended are left out", () => {
  const processes = [1, 2, 3].map((rows) => {
    const metrics = new Metrics();
    metrics.requests.add({ route: "/predict" }, rows);
    metrics.batchRows.observe({ model: "m" }, rows);
    metrics.inFlight.set({}, rows);
    metrics.started.set({}, 100 * rows);
    return metrics;
  });
  processes[0]?.requests.add({ route: "/" });
  const [first, second, ended] = processes.map((own) => own.counts());
  const sum = new Metrics();
  // As they are sent from process to process.
  for (const counts of [first, second, processes[2]?.counts({ growing: true })])
    sum.include(JSON.parse(JSON.stringify(counts)));
  expect(Object.keys(ended ?? {})).toContain("sardonyx_requests_in_flight");
  const lines = sum.text().split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'sardonyx_requests_total{route="/predict"} 6',
      'sardonyx_requests_total{route="/"} 1',
      "sardonyx_requests_in_flight 3",
      "process_start_time_seconds 100",
      'sardonyx_batch_rows_bucket{model="m",le="1"} 1',
      'sardonyx_batch_rows_bucket{model="m",le="4"} 3',
      'sardonyx_batch_rows_sum{model="m"} 6',
      'sardonyx_batch_rows_count{model="m"} 3',
    ]),
  );
  // One exposition: each family is told once.
  expect(lines.filter((line) => line.startsWith("# TYPE sardonyx_requests_total"))).toHaveLength(1);
  expect(processes[0]?.text()).toContain('sardonyx_requests_total{route="/predict"} 1');
});
