// Asks the functions of one cell, checks every reply, and records what k6 alone would not.
//
// experiment.java describes the cell in KIT_CELL: streams (one variant and workload each, with the URL and the
// expected reply), each with phases. Every stream and phase is a scenario named variant_workload_phase, so that
// samples without tags of their own, such as dropped_iterations, can be told apart too. The load is open, as a slow
// answer does not slow the questions, but where virtual users are asked for. k6 cannot tag its own http_req_* samples by what the reply says, so the
// answer's time is recorded once more:
//   answer_ms  Trend: res.timings.duration, tagged with outcome and cold, and with nth where a new environment's first
//              answers are counted
//   cpu_ns     Gauge: CPU time that the answering process has used so far, tagged with environment and pid

import http from 'k6/http';
import { sleep } from 'k6';
import exec from 'k6/execution';
import { sha256 } from 'k6/crypto';
import { Gauge, Trend } from 'k6/metrics';

const cell = JSON.parse(__ENV.KIT_CELL);
const headers = __ENV.KIT_API_KEY ? { 'x-api-key': __ENV.KIT_API_KEY } : {};
const answerMs = new Trend('answer_ms');
const cpuNs = new Gauge('cpu_ns');
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const streams = {};

export const options = {
  scenarios: scenarios(),
  systemTags: ['scenario', 'name', 'method', 'status', 'error_code', 'expected_response'],
  // Every value is in the JSON output; these columns are only for a run that asks k6 for its own summary.
  summaryTrendStats: ['count', 'min', 'avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

function scenarios() {
  const all = {};
  for (const stream of cell.streams) {
    for (const phase of stream.phases) {
      const scenario = `${stream.variant}_${stream.workload}_${phase.name}`;
      streams[scenario] = { ...stream, pauseSeconds: (phase.pauseMs || 0) / 1000, numbered: phase.numbered };
      all[scenario] = {
        exec: 'ask',
        startTime: `${phase.startMs}ms`,
        gracefulStop: `${cell.timeoutSeconds}s`,
        tags: {
          variant: stream.variant, language: stream.language, compute: stream.compute, workload: stream.workload,
          study: cell.study, phase: phase.name, round: String(cell.round),
        },
        ...pace(phase),
      };
    }
  }
  return all;
}

function pace(phase) {
  if (phase.iterationsPerVu) {
    return {
      executor: 'per-vu-iterations', vus: phase.vus, iterations: phase.iterationsPerVu,
      maxDuration: `${phase.durationMs}ms`,
    };
  }
  if (phase.pauseMs !== undefined) {
    return {
      executor: 'ramping-vus', startVUs: 0, stages: stages(phase, 1), gracefulRampDown: `${cell.timeoutSeconds}s`,
    };
  }
  if (phase.stages) {
    return {
      executor: 'ramping-arrival-rate', startRate: 0, timeUnit: '60s', stages: stages(phase, 60),
      preAllocatedVUs: phase.vus, maxVUs: phase.maxVus,
    };
  }
  // A rate per minute, because k6 takes whole numbers only and a profile may ask for 2.5 a second.
  return {
    executor: 'constant-arrival-rate', rate: Math.round(phase.ratePerSecond * 60), timeUnit: '60s',
    duration: `${phase.durationMs}ms`, preAllocatedVUs: phase.vus, maxVUs: phase.maxVus,
  };
}

function stages(phase, factor) {
  return phase.stages.map((stage) => ({
    duration: `${stage.durationMs}ms`, target: Math.round(stage.target * factor),
  }));
}

export function ask() {
  const stream = streams[exec.scenario.name];
  const res = http.get(stream.url, { headers, timeout: `${cell.timeoutSeconds}s`, tags: { name: stream.name } });
  const answer = parse(res);
  // A function of the user's own need not say whether it was cold; it then has warm answers only, and the run says so.
  const cold = answer?.cold ?? (stream.contract ? 'unknown' : false);
  const tags = { outcome: outcome(res, answer, stream), cold: String(cold) };
  if (stream.numbered) tags.nth = String(exec.scenario.iterationInTest + 1);
  answerMs.add(res.timings.duration, tags);
  if (answer?.cpuNs) cpuNs.add(answer.cpuNs, { environment: answer.environment, pid: String(answer.pid) });
  if (stream.pauseSeconds) sleep(stream.pauseSeconds);
}

function parse(res) {
  try {
    return JSON.parse(res.body);
  } catch {
    return null;
  }
}

function outcome(res, answer, stream) {
  if (res.status === stream.expected.status) return isCorrect(res, answer, stream) ? 'correct' : 'wrong';
  if (res.status >= 500) return 'http_5xx';
  if (res.status === 429) return 'throttled';
  if (res.status >= 400) return 'http_4xx';
  if (res.status > 0) return 'wrong';
  // k6's error codes: https://grafana.com/docs/k6/latest/javascript-api/error-codes/
  if (res.error_code === 1050) return 'timeout';
  if (res.error_code === 1212) return 'refused';
  return 'cut_off';
}

function isCorrect(res, answer, stream) {
  const { fields, matching, body } = stream.expected;
  for (const field in fields) if (!isEqual(answer?.[field], fields[field])) return false;
  for (const field in matching) {
    const value = answer?.[field];
    if (value === undefined || !new RegExp(matching[field]).test(text(value))) return false;
  }
  if (body && !new RegExp(body).test(res.body)) return false;
  if (!stream.contract) return true;
  if (answer === null || answer.variant !== stream.variant) return false;
  switch (stream.workload) {
    // The function waits by a monotonic clock and k6 measures by another; a millisecond covers both roundings.
    case 'io':
    case 'mixed': return res.timings.duration >= answer.delayMs - 1;
    case 'store': return UUID.test(answer.id) && answer.digest === sha256(answer.id, 'hex');
    default: return true;
  }
}

function isEqual(value, expected) {
  return value === expected || (typeof expected === 'object' && JSON.stringify(value) === JSON.stringify(expected));
}

// As the check before the load reads it: of objects and lists nothing is matched.
function text(value) {
  return typeof value === 'object' && value !== null ? '' : String(value);
}
