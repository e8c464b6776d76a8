/** A compact JWS starts with the base64url of `{"`. @see RFC 7515 §7.1 */
export function looksSigned(payload: Uint8Array): boolean {
  return payload.length >= 3 && payload[0] === 0x65 && payload[1] === 0x79 && payload[2] === 0x4a;
}
