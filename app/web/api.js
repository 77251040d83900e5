// Talks to the service: JSON in, problems as errors, all pages of a list, and the key where one is asked for.

const KEY = "neuromfa-key";

export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

export function rememberKey(key) {
  sessionStorage.setItem(KEY, key);
}

export async function get(path) {
  const key = sessionStorage.getItem(KEY);
  let response;
  try {
    // "no-cache" asks the service each time; with an unchanged ETag it answers 304 and the browser's copy is used.
    response = await fetch(path, { cache: "no-cache", headers: key ? { Authorization: `Bearer ${key}` } : {} });
  } catch {
    throw new Problem(0, "No connection", "The service does not answer. It may have been stopped.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, body.title ?? "Error", body.detail ?? `HTTP ${response.status}`);
  return body;
}

export async function list(path, parameters = {}) {
  const items = [];
  let first;
  let cursor = null;
  do {
    const query = new URLSearchParams(parameters);
    if (cursor !== null) query.set("cursor", cursor);
    const page = await get(`${path}?${query}`);
    first ??= page;
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return { ...first, items };
}

export const modelPath = (id) => `v1/models/${encodeURIComponent(id.replaceAll("/", "--"))}`;
