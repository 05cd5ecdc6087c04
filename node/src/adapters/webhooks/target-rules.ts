import ipaddr from 'ipaddr.js';
import { ProtocolError } from '@huilian/protocol';

/** What a node lets its members' webhooks call. Nothing but public https is allowed by itself. */
export interface TargetRules {
  /** CIDR ranges that may be called although they are not public. */
  readonly allowPrivate: readonly string[];
  readonly allowHttp: boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Ports below 1024 that are for the web; the others belong to services that a POST could be made to command. */
const webPorts: readonly number[] = [80, 443];
/** Ports from 1024 on that the Fetch standard refuses ("bad port"), for the same reason. */
const badPorts: readonly number[] = [1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080];

/** All global unicast of IPv6 that was ever given out (RFC 4291 §2.4, IANA). */
const globalIpv6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];
/** Public by its number, but the host's own platform answers there (Azure). */
const platformAddresses: readonly string[] = ['168.63.129.16'];

function forbidden(reason: string): never {
  throw new ProtocolError('WEBHOOK_TARGET_FORBIDDEN', { reason });
}

/** Reads an address that a member gave, with everything but where its name leads. @throws WEBHOOK_TARGET_FORBIDDEN {reason} */
export function readTarget(text: string, rules: TargetRules): URL {
  // The URL standard spells every form of an IPv4 address (decimal, octal, hex, short) as four numbers.
  const url = URL.canParse(text) ? new URL(text) : forbidden('url');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.allowHttp)) forbidden('scheme');
  if (url.username !== '' || url.password !== '') forbidden('credentials');
  if (url.hash !== '') forbidden('fragment');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if ((port < 1024 && !webPorts.includes(port)) || badPorts.includes(port)) forbidden('port');
  const literal = literalOf(url);
  if (literal !== undefined) requireAllowed([literal], rules);
  return url;
}

/** The host where it is an address and no name. */
export function literalOf({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return ipaddr.isValid(bare) ? bare : undefined;
}

/**
 * Every address that a name leads to must be allowed: one that leads to a public and a private one is a trap.
 * @throws WEBHOOK_TARGET_FORBIDDEN {reason: 'address'}
 */
export function requireAllowed(addresses: readonly string[], { allowPrivate }: TargetRules): void {
  for (const text of addresses) {
    const address = ipaddr.isValid(text) ? unmapped(ipaddr.parse(text)) : undefined;
    if (address === undefined || !(isPublic(address) || inRanges(address, allowPrivate))) forbidden('address');
  }
}

/** @throws CONFIG_INVALID {path, reason} */
export function requireRanges(ranges: readonly string[]): void {
  const wrong = ranges.findIndex((range) => !ipaddr.isValidCIDR(range));
  if (wrong !== -1) throw new ProtocolError('CONFIG_INVALID', { path: `/webhooks/allowPrivate/${String(wrong)}`, reason: 'no-range' });
}

/** `::ffff:a.b.c.d` is a.b.c.d to the kernel. */
function unmapped(address: Address): Address {
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress() ? (address as ipaddr.IPv6).toIPv4Address() : address;
}

/** Global unicast: not private, loopback, link-local, CGNAT, multicast, reserved, nor a way to embed one of those (NAT64, 6to4, Teredo). */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast' || platformAddresses.includes(address.toString())) return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(globalIpv6);
}

function inRanges(address: Address, ranges: readonly string[]): boolean {
  return ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && (address as ipaddr.IPv4).match(network as ipaddr.IPv4, bits);
  });
}
