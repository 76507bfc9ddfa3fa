// Everything that k6's JSON output can hold, in a few seconds: what the golden files here were recorded with (make.java).
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const base = __ENV.BASE;
const answer = new Trend('answer_ms', true);
const odd = new Trend('odd_values');
const size = new Trend('sizes', false);
const tries = new Counter('tries');
const level = new Gauge('level');
const lucky = new Rate('lucky');

export const options = {
  summaryTrendStats: ['count', 'min', 'med', 'avg', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max'],
  thresholds: {
    http_req_duration: ['p(95)<0.001'],
    'http_req_duration{scenario:steady}': ['p(99)<60000'],
    'http_req_duration{status:503}': ['p(99)<60000'],
    'answer_ms{outcome:correct}': ['p(90)<60000'],
    'http_reqs{variant:<b> & "c" é \\ {x}}': ['count>=0'],
    checks: ['rate>0.99'],
  },
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '4s', preAllocatedVUs: 4, exec: 'steady',
      tags: { variant: 'a' },
    },
    errors: {
      executor: 'per-vu-iterations', vus: 2, iterations: 4, exec: 'errors',
      tags: { variant: '<b> & "c" é \\ {x}' },
    },
  },
};

export function setup() {
  http.get(`${base}/ok?setup`);
}

export function steady() {
  const reply = http.get(`${base}/ok`, { tags: { phase: 'measured' } });
  check(reply, { 'answers 200': (r) => r.status === 200, 'is never 201 {really}': (r) => r.status === 201 });
  answer.add(reply.timings.duration, { outcome: reply.status === 200 ? 'correct' : 'wrong' });
  size.add(reply.body ? reply.body.length : 0);
  tries.add(0.1);
  level.add(__ITER - 2.5);
  lucky.add(__ITER % 3 === 0);
}

export function errors() {
  group('errors "of" every <kind>', () => {
    for (const path of ['/404', '/503', '/redirect', '/cut', `/page/${__VU}-${__ITER}?q=<1>&r="2"`])
      http.get(base + path, { responseCallback: http.expectedStatuses(200, 404) });
    group('inner', () => http.get(`${base}/slow`, { timeout: '150ms' }));
    http.get('http://127.0.0.1:9/refused');
    http.post(`${base}/ok`, 'a body', { tags: { name: 'named' } });
  });
  for (const value of [0, -3.5, 1e-7, 1.5e-6, 0.0001, 123456789.125, 1e21, 1 / 3, 2 / 3]) odd.add(value);
  level.add(1e9);
  sleep(0.01);
}

export function teardown() {
  http.get(`${base}/ok?teardown`);
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data, null, 1) };
}
