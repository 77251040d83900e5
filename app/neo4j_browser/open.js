// Puts style settings, saved queries and the connection where the Neo4j Browser keeps them, then opens it.
// What a person has saved there stays. The password comes in the fragment of the address, which is sent to no server.

const PREFIX = 'neo4j.';
const OURS = 'neuromfa';

const kept = (name, otherwise) => JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
const keep = (name, value) => localStorage.setItem(PREFIX + name, JSON.stringify(value));

function replaceOurs(name, items) {
  const theirs = kept(name, []).filter((item) => !String(item.id).startsWith(OURS));
  keep(name, [...items, ...theirs]);
}

const setup = await (await fetch('/setup.json')).json();
replaceOurs('folders', setup.folders);
replaceOurs('documents', setup.documents);
keep('grass', setup.style);
keep('settings', { ...kept('settings', {}), ...setup.settings });

const password = decodeURIComponent(location.hash.slice(1));
const connection = { ...setup.connection, password };
keep('connections', { allConnectionIds: [connection.id], connectionsById: { [connection.id]: connection } });
location.replace('/browser/');
