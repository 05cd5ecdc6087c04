import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.security.spec.XECPublicKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Decrypts and verifies one release by itself: Java 17, nothing but the JDK, no network.
 * 独立解密并核验一次释放，仅需 JDK 17，不访问网络。
 *
 * <pre>java VerifyRelease.java --release release.json --keys member-keys.json --publisher publisher.json</pre>
 *
 * release.json    the release with its Merkle proofs: GET /v1/tickets/{ticket}/release of `huilian reader`
 * member-keys.json the reader's private keys, as `huilian init` wrote them
 * publisher.json  the publisher as it is registered: GET /v1/members/{id} of a node
 *
 * What is checked, in this order, is written in docs/protocol/access.md (release), payload.md and records.md. Ticket and batch
 * roots are what the reader's own node says of the ledger; who must not believe that node verifies the evidence as well.
 * Exit code: 0 and the claims as JSON; 1 and `REFUSED CODE: reason`; 2 for a wrong call.
 */
public final class VerifyRelease {
    public static void main(String[] args) {
        Map<String, String> files = new HashMap<>();
        for (int at = 0; at + 1 < args.length; at += 2) files.put(args[at], args[at + 1]);
        if (args.length != 6 || !files.keySet().equals(Set.of("--release", "--keys", "--publisher"))) {
            System.err.println("usage 用法: java VerifyRelease.java --release release.json --keys member-keys.json --publisher publisher.json");
            System.exit(2);
        }
        try {
            Fields release = Json.read(Files.readAllBytes(Path.of(files.get("--release"))));
            Fields keys = Json.read(Files.readAllBytes(Path.of(files.get("--keys"))));
            Fields publisher = Json.read(Files.readAllBytes(Path.of(files.get("--publisher"))));
            byte[] out = (Json.canonical(verify(release, keys, publisher)) + "\n").getBytes(StandardCharsets.UTF_8);
            System.out.write(out, 0, out.length);
            System.out.flush();
        } catch (Refused refused) {
            System.err.println("REFUSED " + refused.getMessage());
            System.exit(1);
        } catch (GeneralSecurityException | RuntimeException broken) {
            // A field that is missing or of another type, a number that no key has: not a release.
            System.err.println("REFUSED MALFORMED: " + broken.getClass().getSimpleName());
            System.exit(1);
        } catch (IOException unreadable) {
            System.err.println("cannot read 无法读取: " + unreadable.getMessage());
            System.exit(2);
        }
    }

    /** A named refusal: the codes are those of docs/protocol/errors.md. Nothing that was refused may be used. */
    static final class Refused extends RuntimeException {
        Refused(String code, String reason) {
            super(code + ": " + reason);
        }
    }

    // ---- the steps -------------------------------------------------------------------------------------------------

    static Map<String, Object> verify(Fields file, Fields keys, Fields publisher) throws GeneralSecurityException {
        String ticket = file.text("ticket");
        Fields state = file.object("state");
        Fields registered = publisher.object("document");
        if (!registered.text("id").equals(state.text("publisher"))) throw new Refused("RELEASE_BAD_SIGNATURE", "publisher.json is about another member");
        ECPublicKey publisherKey = es256Key(registered.object("signingKey"));

        String jwe = file.object("release").text("jwe");
        checkStatement(file.object("release").text("release"), ticket, state.text("publisher"), jwe, publisherKey);
        Fields content = canonicalObject(decrypt(jwe, ticket, keys.object("encryptionKey")), "RELEASE_HASH_MISMATCH", "content");

        List<Fields> records = state.objects("records");
        List<Fields> presentations = content.objects("presentations");
        List<Fields> proofs = file.objects("proofs");
        if (!content.text("ticket").equals(ticket) || presentations.size() != records.size()) throw new Refused("RELEASE_HASH_MISMATCH", "content of another ticket");
        if (proofs.size() != records.size()) throw new Refused("MERKLE_PATH_INVALID", "a proof for each record");

        List<Object> read = new ArrayList<>();
        for (int at = 0; at < records.size(); at++) {
            Fields record = records.get(at);
            if (!presentations.get(at).text("recordId").equals(record.text("recordId"))) throw new Refused("RELEASE_HASH_MISMATCH", "order of the records");
            Fields header = checkPlace(proofs.get(at), record, state.text("publisher"));
            read.add(readRecord(presentations.get(at).text("presentation"), record, header, state.texts("claims"), publisherKey));
        }
        return Map.of("ticket", ticket, "records", read);
    }

    /** The publisher's signed word on what it sent: compact JWS, ES256, header exactly {alg, kid, typ}. */
    static void checkStatement(String jws, String ticket, String publisher, String jwe, ECPublicKey key) throws GeneralSecurityException {
        String code = "RELEASE_BAD_SIGNATURE";
        String[] parts = segments(jws, 3, code);
        Fields header = canonicalObject(base64url(parts[0], code), code, "header");
        if (!header.values.equals(Map.of("alg", "ES256", "kid", publisher, "typ", "huilian-release+jwt"))) throw new Refused(code, "protected header");
        if (!verifyEs256(key, parts[0] + "." + parts[1], base64url(parts[2], code))) throw new Refused(code, "signature");
        Fields statement = canonicalObject(base64url(parts[1], code), code, "payload");
        if (!statement.text("publisher").equals(publisher)) throw new Refused(code, "publisher");
        if (!statement.text("ticket").equals(ticket)) throw new Refused("RELEASE_HASH_MISMATCH", "statement of another ticket");
        if (!statement.text("jwe").equals(hex(sha256(ascii(jwe))))) throw new Refused("RELEASE_HASH_MISMATCH", "ciphertext");
    }

    /** JWE compact (RFC 7516): ECDH-ES with X25519 (RFC 7518 §4.6, RFC 8037), A256GCM; `apv` binds it to the ticket. */
    static byte[] decrypt(String jwe, String ticket, Fields readerKey) {
        String code = "PAYLOAD_DECRYPT_FAILED";
        String[] parts = segments(jwe, 5, code);
        Fields header = Json.read(base64url(parts[0], code));
        byte[] apv = Json.canonical(Map.of("ticket", ticket)).getBytes(StandardCharsets.UTF_8);
        boolean expected = header.values.keySet().equals(Set.of("alg", "apv", "enc", "epk")) && header.text("alg").equals("ECDH-ES") && header.text("enc").equals("A256GCM");
        if (!expected || !parts[1].isEmpty() || !header.text("apv").equals(base64url(apv))) throw new Refused(code, "protected header");
        try {
            KeyFactory x25519 = KeyFactory.getInstance("X25519");
            KeyAgreement agreement = KeyAgreement.getInstance("X25519");
            agreement.init(x25519.generatePrivate(new XECPrivateKeySpec(NamedParameterSpec.X25519, base64url(readerKey.text("d"), code))));
            agreement.doPhase(x25519.generatePublic(new XECPublicKeySpec(NamedParameterSpec.X25519, littleEndian(base64url(header.object("epk").text("x"), code)))), true);
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            SecretKeySpec key = new SecretKeySpec(concatKdf(agreement.generateSecret(), apv), "AES");
            cipher.init(Cipher.DECRYPT_MODE, key, new GCMParameterSpec(128, base64url(parts[2], code)));
            cipher.updateAAD(ascii(parts[0]));
            cipher.update(base64url(parts[3], code));
            return cipher.doFinal(base64url(parts[4], code));
        } catch (GeneralSecurityException failed) {
            // The same words for a wrong key and for spoilt bytes.
            throw new Refused(code, "key or ciphertext");
        }
    }

    /** Concat KDF (NIST SP 800-56A §5.8.1 as RFC 7518 §4.6.2 uses it), one round of SHA-256: 256 bits for A256GCM, no apu. */
    static byte[] concatKdf(byte[] secret, byte[] apv) {
        byte[] algorithm = ascii("A256GCM");
        ByteBuffer input = ByteBuffer.allocate(4 + secret.length + 4 + algorithm.length + 4 + 4 + apv.length + 4);
        input.putInt(1).put(secret);
        input.putInt(algorithm.length).put(algorithm);
        input.putInt(0);
        input.putInt(apv.length).put(apv);
        input.putInt(256);
        return sha256(input.array());
    }

    /** The record's header stands under the batch root that the ledger holds (RFC 6962 §2.1, RFC 9162 §2.1.3.2). */
    static Fields checkPlace(Fields proof, Fields record, String publisher) {
        Fields placed = proof.object("placed");
        Fields header = placed.object("header");
        byte[] hash = sha256(new byte[] {0}, Json.canonical(header.values).getBytes(StandardCharsets.UTF_8));
        long index = placed.number("index");
        long last = placed.number("size") - 1;
        if (index < 0 || index > last) throw new Refused("MERKLE_PATH_INVALID", "index");
        for (String step : placed.texts("path")) {
            if (last == 0) throw new Refused("MERKLE_PATH_INVALID", "too long");
            byte[] sibling = HexFormat.of().parseHex(step);
            if (index % 2 == 1 || index == last) {
                hash = sha256(new byte[] {1}, sibling, hash);
                while (index % 2 == 0 && index != 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                hash = sha256(new byte[] {1}, hash, sibling);
            }
            index >>= 1;
            last >>= 1;
        }
        if (last != 0 || !hex(hash).equals(proof.text("root"))) throw new Refused("MERKLE_PATH_INVALID", "root");

        String id = publisher + "/" + header.text("kind") + "/" + header.text("localId");
        if (!header.text("digest").equals(record.text("digest"))) throw new Refused("PAYLOAD_DIGEST_MISMATCH", "header and ticket");
        if (!id.equals(record.text("recordId")) || header.number("version") != record.number("version")) throw new Refused("PAYLOAD_DIGEST_MISMATCH", "another record or version");
        if (!header.text("status").equals("active")) throw new Refused("RECORD_REVOKED", id);
        return header;
    }

    /** The record itself: an SD-JWT VC presentation `header.segment.signature~disclosure~…~` (docs/protocol/payload.md). */
    static Map<String, Object> readRecord(String presentation, Fields record, Fields header, List<String> granted, ECPublicKey key) throws GeneralSecurityException {
        String code = "PAYLOAD_MALFORMED";
        String[] parts = presentation.split("~", -1);
        if (parts.length < 2 || !parts[parts.length - 1].isEmpty()) throw new Refused(code, "tilde at the end");
        String[] jwt = segments(parts[0], 3, code);
        if (!hex(sha256(ascii(jwt[1]))).equals(header.text("digest"))) throw new Refused("PAYLOAD_DIGEST_MISMATCH", "segment");

        Fields protectedHeader = Json.read(base64url(jwt[0], code));
        boolean exact = protectedHeader.values.keySet().equals(Set.of("alg", "typ", "x5c")) && protectedHeader.text("alg").equals("ES256") && protectedHeader.text("typ").equals("dc+sd-jwt");
        if (!exact) throw new Refused(code, "protected header");
        checkCertificate(protectedHeader.texts("x5c"), key);
        if (!verifyEs256(key, jwt[0] + "." + jwt[1], base64url(jwt[2], code))) throw new Refused("PAYLOAD_BAD_SIGNATURE", "signature");

        Fields payload = canonicalObject(base64url(jwt[1], code), code, "payload");
        checkPayload(payload, record, header);
        List<String> digests = payload.texts("_sd");
        Map<String, Object> claims = new TreeMap<>();
        for (int at = 1; at < parts.length - 1; at++) disclose(parts[at], digests, granted, claims);
        return Map.of("recordId", record.text("recordId"), "version", record.number("version"), "claims", claims);
    }

    /** `x5c` names the certificate of the signing key; the key counts because it is registered on the ledger. */
    static void checkCertificate(List<String> x5c, ECPublicKey registered) {
        try {
            byte[] der = Base64.getDecoder().decode(x5c.get(0));
            var certified = CertificateFactory.getInstance("X.509").generateCertificate(new java.io.ByteArrayInputStream(der)).getPublicKey();
            if (certified instanceof ECPublicKey found && found.getW().equals(registered.getW())) return;
        } catch (GeneralSecurityException | RuntimeException unreadable) {
            // Falls through to the one refusal below.
        }
        throw new Refused("PAYLOAD_BAD_SIGNATURE", "x5c does not certify the registered key");
    }

    static void checkPayload(Fields payload, Fields record, Fields header) {
        Map<String, Object> stated = new TreeMap<>(payload.values);
        stated.remove("_sd");
        Map<String, Object> expected = new TreeMap<>();
        String id = record.text("recordId");
        expected.put("_sd_alg", "sha-256");
        expected.put("iss", "urn:huilian:member:" + id.substring(0, id.indexOf('/')));
        expected.put("record", id);
        expected.put("vct", "urn:huilian:record:" + header.text("kind") + ":" + header.number("schema"));
        expected.put("version", record.number("version"));
        if (!header.text("subject").isEmpty()) expected.put("sub", header.text("subject"));
        if (!stated.equals(expected)) throw new Refused("PAYLOAD_MALFORMED", "fields");
    }

    /** One disclosure: base64url of canonical [salt, name, value]; its SHA-256 stands in `_sd`, each claim once. */
    static void disclose(String disclosure, List<String> digests, List<String> granted, Map<String, Object> claims) {
        String code = "DISCLOSURE_INVALID";
        byte[] bytes = base64url(disclosure, code);
        if (!digests.contains(base64url(sha256(ascii(disclosure))))) throw new Refused(code, "not committed");
        boolean shaped = Json.value(bytes, code) instanceof List<?> parts && parts.size() == 3 && parts.get(0) instanceof String salt && salt.matches("[A-Za-z0-9_-]{21}[AQgw]")
            && parts.get(1) instanceof String && Json.canonical(parts).equals(new String(bytes, StandardCharsets.UTF_8));
        if (!shaped) throw new Refused(code, "shape");
        List<?> parts = (List<?>) Json.value(bytes, code);
        if (hasDigestKeys(parts.get(2))) throw new Refused(code, "digests inside a claim");
        String name = (String) parts.get(1);
        if (!granted.contains(name)) throw new Refused(code, "not granted: " + name);
        if (claims.put(name, parts.get(2)) != null) throw new Refused(code, "twice: " + name);
    }

    /** Keys that SD-JWT gives a meaning to would read differently elsewhere: no claim has them. */
    static boolean hasDigestKeys(Object value) {
        if (value instanceof List<?> list) return list.stream().anyMatch(VerifyRelease::hasDigestKeys);
        if (!(value instanceof Map<?, ?> map)) return false;
        return map.containsKey("_sd") || map.containsKey("...") || map.values().stream().anyMatch(VerifyRelease::hasDigestKeys);
    }

    // ---- keys, signatures, bytes -----------------------------------------------------------------------------------

    static ECPublicKey es256Key(Fields jwk) throws GeneralSecurityException {
        if (!jwk.values.keySet().equals(Set.of("crv", "kty", "x", "y")) || !jwk.text("crv").equals("P-256") || !jwk.text("kty").equals("EC")) throw new Refused("MALFORMED", "signing key");
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp256r1"));
        ECPoint point = new ECPoint(new BigInteger(1, base64url(jwk.text("x"), "MALFORMED")), new BigInteger(1, base64url(jwk.text("y"), "MALFORMED")));
        return (ECPublicKey) KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, parameters.getParameterSpec(ECParameterSpec.class)));
    }

    /** ES256 (RFC 7518 §3.4): r ‖ s over SHA-256. What cannot be verified is false. */
    static boolean verifyEs256(ECPublicKey key, String input, byte[] signature) throws GeneralSecurityException {
        if (signature.length != 64) return false;
        Signature verifier = Signature.getInstance("SHA256withECDSAinP1363Format");
        verifier.initVerify(key);
        verifier.update(ascii(input));
        try {
            return verifier.verify(signature);
        } catch (GeneralSecurityException outOfRange) {
            return false;
        }
    }

    static String[] segments(String compact, int count, String code) {
        String[] parts = compact.split("\\.", -1);
        if (parts.length != count) throw new Refused(code, "segments");
        return parts;
    }

    /** Strict base64url: no padding, no stray bits; one text for the same bytes. */
    static byte[] base64url(String text, String code) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (base64url(bytes).equals(text)) return bytes;
        } catch (IllegalArgumentException notBase64url) {
            // Falls through to the one refusal below.
        }
        throw new Refused(code, "base64url");
    }

    static String base64url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The u coordinate of an X25519 key: little-endian, the highest bit not counted (RFC 7748 §5). */
    static BigInteger littleEndian(byte[] bytes) {
        if (bytes.length != 32) throw new Refused("PAYLOAD_DECRYPT_FAILED", "epk");
        byte[] reversed = new byte[32];
        for (int at = 0; at < 32; at++) reversed[31 - at] = bytes[at];
        reversed[0] &= 0x7f;
        return new BigInteger(1, reversed);
    }

    static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) digest.update(part);
            return digest.digest();
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /** Bytes that must be their own canonical form (docs/protocol/canonical-json.md). */
    static Fields canonicalObject(byte[] bytes, String code, String what) {
        if (!(Json.value(bytes, code) instanceof Map<?, ?> map) || !Json.canonical(map).equals(new String(bytes, StandardCharsets.UTF_8))) throw new Refused(code, what + " is not canonical");
        return Fields.of(map);
    }

    // ---- JSON ------------------------------------------------------------------------------------------------------

    /** A JSON object whose fields are asked for by type; a missing or other field is a refusal. */
    record Fields(Map<String, Object> values) {
        @SuppressWarnings("unchecked")
        static Fields of(Map<?, ?> map) {
            return new Fields((Map<String, Object>) map);
        }

        String text(String name) {
            return get(name, String.class);
        }

        long number(String name) {
            return get(name, Long.class);
        }

        Fields object(String name) {
            return of(get(name, Map.class));
        }

        List<Fields> objects(String name) {
            List<Fields> found = new ArrayList<>();
            for (Object item : get(name, List.class)) found.add(of((Map<?, ?>) item));
            return found;
        }

        List<String> texts(String name) {
            List<String> found = new ArrayList<>();
            for (Object item : get(name, List.class)) found.add((String) item);
            return found;
        }

        private <T> T get(String name, Class<T> type) {
            Object value = values.get(name);
            if (!type.isInstance(value)) throw new Refused("MALFORMED", "field " + name);
            return type.cast(value);
        }
    }

    /**
     * A small strict reader: objects become maps, numbers are integers (the protocol knows no others), no key stands twice,
     * nothing follows the value. And the canonical writer (RFC 8785).
     */
    static final class Json {
        private static final int DEEPEST = 32;
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        static Fields read(byte[] utf8) {
            if (!(value(utf8, "MALFORMED") instanceof Map<?, ?> map)) throw new Refused("MALFORMED", "not a JSON object");
            return Fields.of(map);
        }

        static Object value(byte[] utf8, String code) {
            try {
                Json json = new Json(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString());
                Object value = json.value(0);
                json.blanks();
                if (json.at != json.text.length()) throw new Refused(code, "text after the JSON value");
                return value;
            } catch (CharacterCodingException | IndexOutOfBoundsException | NumberFormatException broken) {
                throw new Refused(code, "not JSON");
            }
        }

        private Object value(int depth) {
            if (depth > DEEPEST) throw new Refused("MALFORMED", "too deep");
            blanks();
            char first = text.charAt(at);
            if (first == '{') return object(depth);
            if (first == '[') return array(depth);
            if (first == '"') return string();
            for (String word : List.of("true", "false", "null")) {
                if (text.startsWith(word, at)) {
                    at += word.length();
                    return word.equals("null") ? Null.NULL : (Object) word.equals("true");
                }
            }
            return number();
        }

        private Map<String, Object> object(int depth) {
            Map<String, Object> fields = new TreeMap<>();
            at++;
            for (boolean more = !closes('}'); more; more = follows('}')) {
                blanks();
                String name = string();
                blanks();
                expect(':');
                if (fields.put(name, value(depth + 1)) != null) throw new Refused("MALFORMED", "a key twice");
            }
            return fields;
        }

        private List<Object> array(int depth) {
            List<Object> items = new ArrayList<>();
            at++;
            for (boolean more = !closes(']'); more; more = follows(']')) items.add(value(depth + 1));
            return items;
        }

        private boolean closes(char end) {
            blanks();
            if (text.charAt(at) != end) return false;
            at++;
            return true;
        }

        /** After an item: true at a comma, false at the end. */
        private boolean follows(char end) {
            if (closes(end)) return false;
            expect(',');
            return true;
        }

        private void expect(char wanted) {
            if (text.charAt(at++) != wanted) throw new Refused("MALFORMED", "not JSON");
        }

        private String string() {
            expect('"');
            StringBuilder out = new StringBuilder();
            for (;;) {
                char next = text.charAt(at++);
                if (next == '"') return out.toString();
                if (next < ' ') throw new Refused("MALFORMED", "control character in a string");
                out.append(next == '\\' ? escape() : next);
            }
        }

        private char escape() {
            char kind = text.charAt(at++);
            if (kind == 'u') {
                at += 4;
                return (char) HexFormat.fromHexDigits(text, at - 4, at);
            }
            int known = "\"\\/bfnrt".indexOf(kind);
            if (known < 0) throw new Refused("MALFORMED", "escape");
            return "\"\\/\b\f\n\r\t".charAt(known);
        }

        private Long number() {
            int from = at;
            while (at < text.length() && "-0123456789.eE+".indexOf(text.charAt(at)) >= 0) at++;
            String digits = text.substring(from, at);
            if (!digits.matches("-?[1-9][0-9]{0,15}|0")) throw new Refused("MALFORMED", "a number that is no integer");
            return Long.parseLong(digits);
        }

        private void blanks() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
        }

        /** RFC 8785: keys by UTF-16 code units, no blanks, as few escapes as JSON allows. */
        static String canonical(Object value) {
            StringBuilder out = new StringBuilder();
            write(value, out);
            return out.toString();
        }

        private static void write(Object value, StringBuilder out) {
            if (value instanceof Map<?, ?> map) {
                String separator = "{";
                for (Map.Entry<?, ?> field : new TreeMap<>(map).entrySet()) {
                    out.append(separator);
                    quote((String) field.getKey(), out);
                    out.append(':');
                    write(field.getValue(), out);
                    separator = ",";
                }
                out.append(map.isEmpty() ? "{}" : "}");
            } else if (value instanceof List<?> list) {
                String separator = "[";
                for (Object item : list) {
                    out.append(separator);
                    write(item, out);
                    separator = ",";
                }
                out.append(list.isEmpty() ? "[]" : "]");
            } else if (value instanceof String text) {
                quote(text, out);
            } else {
                out.append(value == Null.NULL ? "null" : value.toString());
            }
        }

        private static void quote(String text, StringBuilder out) {
            out.append('"');
            for (char next : text.toCharArray()) {
                int known = "\"\\\b\f\n\r\t".indexOf(next);
                if (known >= 0) out.append('\\').append("\"\\bfnrt".charAt(known));
                else if (next < ' ') out.append(String.format("\\u%04x", (int) next));
                else out.append(next);
            }
            out.append('"');
        }

        /** JSON's null, which is no missing field. */
        enum Null { NULL }
    }
}
