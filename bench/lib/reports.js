import { fixed, ns, number, spread, table } from './table.js'

/** Each part's result as Markdown: what the terminal shows and what docs/performance.md holds. */
export const reports = {
  throughput: ({ contenders }) => {
    const [bare, ...others] = contenders
    const rows = others
      .toSorted((a, b) => b.bare.rate.median - a.bare.rate.median)
      .map(({ label, own, bare: to }) => [
        label,
        spread(to.rate),
        spread(to.cpu),
        spread(to.p99),
        number(own.rate.median),
        fixed(own.cpu.median, 0),
        fixed(own.p99.median, 1),
      ])
    const first = [
      'bare Express',
      '1',
      '1',
      '1',
      number(bare.own.rate.median),
      fixed(bare.own.cpu.median, 0),
      fixed(bare.own.p99.median, 1),
    ]
    return table(
      ['64 connections', 'throughput / bare', 'CPU / bare', 'p99 / bare', 'requests/s', 'CPU µs', 'p99 ms'],
      [first, ...rows],
    )
  },

  inProcess: ({ node, whole, steps, elsewhere }) => {
    const wholes = [{ node, whole }, elsewhere ?? []].flat().map((each) =>
      table(
        [`in the process, Node ${each.node}`, 'a request', 'interval', 'allocates'],
        each.whole.map(({ name, ns: took, bytes }) => [
          name,
          ns(took.median),
          `${ns(took.low)}–${ns(took.high)}`,
          `${number(bytes)} B`,
        ]),
      ),
    )
    const bySteps = Object.entries(steps).map(([name, list]) =>
      table(
        [`${name}, by step`, 'a request'],
        list.map((step) => [step.name, ns(step.ns)]),
      ),
    )
    return [...wholes, ...bySteps].join('\n\n')
  },

  scale: (rows) =>
    [
      table(
        [
          'sessions',
          'lookup µs',
          'bytes each',
          'a Map of the same',
          "a Map's lookup µs",
          "one user's, µs",
          'a hundred, µs',
          'cold start ms',
        ],
        rows.map((row) => [
          `${row.store === 'memory' ? 'memory' : 'SQLite'}, ${number(row.size)}`,
          spread(row.lookup, 1),
          number(row.bytes),
          row.map ? `${number(row.map.bytes)} (${fixed(row.bytes / row.map.bytes)})` : '–',
          row.map ? spread(row.map.lookup, 1) : '–',
          fixed(row.listOne.median, 1),
          fixed(row.listMany.median, 0),
          row.coldStart === undefined ? '–' : fixed(row.coldStart, 1),
        ]),
      ),
      table(
        [
          'half of them expire',
          'removed',
          'took s',
          'slice p50 ms',
          'slice p99 ms',
          'worst ms',
          'lookup p99 ms',
          'worst turn ms',
        ],
        rows.map(({ store, size, sweep }) => [
          `${store === 'memory' ? 'memory' : 'SQLite'}, ${number(size)}`,
          number(sweep.removed),
          fixed(sweep.seconds, 1),
          fixed(sweep.slices.p50),
          fixed(sweep.slices.p99),
          fixed(sweep.slices.worst, 1),
          fixed(sweep.lookups.p99, 3),
          fixed(sweep.turns.worst, 1),
        ]),
      ),
    ].join('\n\n'),

  network: (rows) => {
    const [first] = rows
    if (first === undefined) return 'No server answered.'
    return table(
      [
        '64 lookups at a time',
        `µs among ${number(first.fewSize)}`,
        `µs among ${number(first.manySize)}`,
        'many / few',
        'few / few: the control',
      ],
      rows.map(({ store, few, many, manyToFew, control }) => [
        store,
        fixed(few.median, 1),
        fixed(many.median, 1),
        spread(manyToFew),
        spread(control),
      ]),
    )
  },

  shapes: ({ connections, logins, strangers, slowStore }) =>
    [
      table(
        ['connections', 'throughput / bare', 'p99 / bare', 'requests/s', 'p99 ms'],
        connections.map((row) => [
          `${row.connections}: ${row.label}`,
          spread(row.toBare),
          fixed(row.p99ToBare.median),
          number(row.rate.median),
          fixed(row.p99.median, 1),
        ]),
      ),
      table(
        ['64 logins at a time', 'logins/s', 'p99 ms'],
        logins.map((row) => [row.label, number(row.rate.median), fixed(row.p99.median, 1)]),
      ),
      table(
        ['strangers, 64 connections', 'throughput / bare', 'p99 / bare'],
        strangers.map((row) => [
          `${row.kind}: ${row.label}`,
          spread(row.toBare),
          fixed(row.p99ToBare.median),
        ]),
      ),
      table(
        [
          'the store takes',
          'no cookie, alone: p99 ms',
          'beside members: p99 ms',
          'requests/s alone',
          'beside',
          'members p99 ms',
          'refused',
        ],
        slowStore.map(({ label, alone, beside, members }) => [
          label,
          fixed(alone.p99, 1),
          fixed(beside.p99, 1),
          number(alone.rate),
          number(beside.rate),
          number(members.p99),
          `${fixed(members.refused * 100, 0)} %`,
        ]),
      ),
    ].join('\n\n'),

  batching: (result) =>
    table(
      [
        'lookups in flight',
        'gathered /s',
        'one each /s',
        'the driver alone /s',
        '/ one each',
        '/ the driver',
      ],
      Object.entries(result)
        .filter(([, rows]) => rows)
        .flatMap(([name, rows]) =>
          rows.map((row) => [
            `${name}, ${row.inFlight}`,
            number(row.gathered.median),
            number(row.oneEach.median),
            number(row.driver.median),
            spread(row.toOneEach),
            spread(row.toDriver),
          ]),
        ),
    ),
}
