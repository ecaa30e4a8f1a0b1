#include "common.h"

#include "policy/tunnel.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static void judged(const char *name, enum tunnel_sign want)
{
	enum tunnel_sign sign = tunnel_judge(name, NULL, NULL);

	if (sign != want)
		fail_msg("%s: %s instead of %s", name, *tunnel_text(sign) ? tunnel_text(sign) : "nothing", *tunnel_text(want) ? tunnel_text(want) : "nothing");
}

/* --- honest names ------------------------------------------------------------------------------- */

static const char *const honest[] = {
	/* what pip and builds ask for */
	"pypi.org", "files.pythonhosted.org", "github.com", "raw.githubusercontent.com", "objects.githubusercontent.com", "crates.io", "static.crates.io",
	"registry.npmjs.org", "repo.maven.apache.org", "download.pytorch.org", "conda.anaconda.org", "cas-bridge.xethub.hf.co", "developer.download.nvidia.com",
	"release-assets.githubusercontent.com", "productionresultssa0.blob.core.windows.net", "pipelinesghubeus6.actions.githubusercontent.com",
	/* content networks */
	"d111111abcdef8.cloudfront.net", "d3ag4hukkh62yn.cloudfront.net", "e5977.dscd.akamaiedge.net", "a1952.dscq.akamai.net", "e4478.a.akamaiedge.net",
	"prod.pypi.map.fastlydns.net", "dualstack.python.map.fastly.net", "lb-140-82-121-3-iad.github.com", "cdn-185-199-108-153.github.com",
	"files.pythonhosted.org.cdn.cloudflare.net", "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
	"87a6b28bc7823e67a5bb2a0a6728c702afcae78d.cws.conviva.com", "fee798cbe80-ikzlvrwm1634542555-sonar.xz.fbcdn.net",
	"statics-marketingsites-eus-ms-com.akamaized.net", "r4---sn-4g5edns6.googlevideo.com", "lh3.googleusercontent.com",
	/* clouds */
	"mybucket.s3.us-east-1.amazonaws.com", "cdk-hnb659fds-assets-123456789012-us-east-1.s3.amazonaws.com", "ec2-203-0-113-25.compute-1.amazonaws.com",
	"ip-10-0-12-34.us-west-2.compute.internal", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
	"vpce-0fe5b17a0707d6abc-29p5708s.ec2.us-east-1.vpce.amazonaws.com",
	"vpce-0fe5b17a0707d6abc-29p5708s.vpce-svc-0123456789abcdef0.us-east-1.vpce.amazonaws.com",
	"internal-k8s-prod-ingress-0a1b2c3d4e-1234567890.us-east-1.elb.amazonaws.com", "D1A2B3C4E5F60718293A4B5C6D7E8F90.gr7.us-east-1.eks.amazonaws.com",
	"search-logs-abcdefghijklmnopqrstuvwxyz.us-east-1.es.amazonaws.com", "mydb.c9akciq32xyz.us-east-1.rds.amazonaws.com",
	"7vdtzq4kkmqwrxu3cxqdyqlbqa0kmwpe.lambda-url.us-east-1.on.aws", "mystorageaccount.blob.core.windows.net",
	"mydomain-dev-eastus2-001.z13.web.core.windows.net",
	"azuregateway-0ae10032-93a4-487d-accb-15c54530a9f0-c82cfdedd894.vpn.azure.com", "my-service-a1b2c3d4e5-uc.a.run.app",
	"us-central1-my-project-123456.cloudfunctions.net",
	"polar-thicket-12345-0a1b2c3d4e5f.herokuapp.com", "octocat-super-space-adventure-4vq9w6gr5v6f6xx-8080.app.github.dev",
	"my-project-git-feature-new-login-page-my-team.vercel.app", "64f1c0ffee1234567890abcd--my-site.netlify.app",
	/* identifiers as labels */
	"123e4567-e89b-12d3-a456-426614174000.example.com", "vault-123e4567-e89b-12d3-a456-426614174000.westeurope.example.com", "0a1b2c3d4e5f",
	"0a1b2c3d4e5f.registry.example.com",
	"registry-1.docker.io", "a3ed95caeb02.layers.registry.example.com",
	"_3e8f4c8b1d2a4f6b9c0d1e2f3a4b5c6d.example.com", "kq2xs3nvmfzgk5dboqxgg33nf5swc3ll._domainkey.example.com",
	"d41d8cd98f00b204e9800998ecf8427e.files.example.com",
	"goodwaythetradedeskvideo910663478306.s.moatpixel.com", "d-10054504272900485162.ampproject.net", "20210304123055123456.logs.example.com",
	/* services and records */
	"_acme-challenge.www.example.com", "_dmarc.example.com", "_sip._tcp.example.com", "selector1._domainkey.example.com", "_25._tcp.mail.example.com",
	"4.3.2.1.in-addr.arpa", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	"2.0.0.127.zen.spamhaus.org", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.zen.spamhaus.org",
	/* long ones of words */
	"my-very-long-corporate-application-name-for-production-use.internal.example.com", "enterprise-resource-planning-backend-staging.europe.corp.example.com",
	"files.pythonhosted.org.my-namespace.svc.cluster.local.eu-central-1.compute.internal", "llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch.co.uk",
	"the-quick-brown-fox-jumps-over-the-lazy-dog-again-and-again.documentation.example.org",
	"com-business-solutions-developers-platform-worldwide-repository.facebookbrand-preprod.fb.com",
	"cenk-1509-dynamic-earthsakaryafenlisesi-com.cdn.ampproject.org",
	"donaudampfschifffahrtselektrizitaetenhauptbetriebswerk.example.de",
	/* other scripts */
	"xn--bcher-kva.example", "xn--fiqs8s.xn--0zwm56d", "xn--80ak6aa92e.com", "www.xn--vermgensberatung-pwb.de", "xn--mgberp4a5d4a87g.xn--mgberp4a5d4ar",
	"xn-----6kcabaeinab1bmhgdhibpxd4brni8b7mkd.xn--p1ai", "b\\195\\188cher.example", "b\xc3\xbc" "cher.example",
	"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
	"\\228\\190\\139\\227\\129\\136.\\227\\131\\134\\227\\130\\185\\227\\131\\136",
	/* odd, and harmless */
	"", ".", "localhost", "LocalHost.", "wWw.PyThOn.oRg", "www.www.www.www.www.www.www.example.com", "printer\\032of\\032the\\032office._ipp._tcp.local", "a..b",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com", "x-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example.com",
	"\\999.example.com", "\\", "\\04", "a\\.b.example.com",
};

static void honest_names(void **state)
{
	(void)state;
	assert_true(COUNT(honest) >= 60);
	for (size_t i = 0; i < COUNT(honest); i++)
		judged(honest[i], TUNNEL_NONE);
}

/* --- tunnels ------------------------------------------------------------------------------------ */

static const char *const tunnels[] = {
	/* iodine 0.7, caught between its client and its server: data, and probes; Base32, Base64, Base128 */
	"0eabapdnggydixon2aaaedrlp55zvgcamcou3cvnd4tylc15goysaazgk0dgsr.naqyacwvyflw.t.evil.example",
	"0eabaEnPJygI6M7aabbXw++70micb5sv4Dz6pZnB+MrIqavmRG3qaIaeak9WiV.q.t.evil.example",
	"0eabapdnggydixon2aaaedrlp55zvgcaadr2g1pfwxsv4wt4woysaazgk0dhkr.3aayadkbaf1u.t.evil.example",
	"rayadxs01zpf2xs4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2x"
	".s4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2xs4lzpf2xs.4lzpf2xs4lzpf2xs4lzpf2xs4l.z.t.evil.example",
	"0eaba82\\2022dI\\245B\\222aa\\191\\224\\217\\253\\253A\\202qip\\221\\214\\251\\213\\2457\\249a\\249\\249\\205\\224Gb\\199\\192"
	"\\230Y\\210\\253G\\225adK\\224l\\219a.t.evil.example",
	"rbkadA\xc5g\xd1P\xd2\xe8" "1A\xcbM\xd1P\xd2\xe8" "1A\xcbM\xd1P\xd2\xe8" "1A\xcbM\xd1P\xd2\xe8" "1A.\xcbM\xd1P\xd2\xe8" "1A\xcbM\xd1P.t.evil.example",
	/* packets in dnscat2's form: the key exchange, one of its messages, one in the clear, two of a client that was given no domain */
	"1ca303390c8c7d000000007247342cd8100f2f6f770d65d670e58e0351d8"
	".ae8e4f6eac342fc231b7b08716eb3fc12896b96223177494287733c28ee8.ba53bdb56b8824577d53ecc28a70a6.skull.example",
	"87b5017510a1cd89216ca16cffcaea4987477e86dbccb97046fc2e18384e"
	".51d820c5c3ef80053a88ae3996de50e801865b3698654ebf5200a5fa0939.b99d7a1d7b282bf8234041f354.skull.example",
	"03ae013d7e7320ad0a75704157535f5345435245545f4143434553535f4b"
	".45593d774a616c725855746e46454d492f4b374d44454e472f6250785266.6943594558414d504c454b.x.skull.example",
	"dnscat.d86c00669fccbfe0e7636f6d6d616e642028686f73742900", "dnscat.241e01752210a924798ef86d43f27cf2d0613031dcb5d8d2ef1b321f.example.org",
	/* in DNSExfiltrator's: a number, then base64url or base32 */
	"0.zq03f2Jh5UfYXY7sfybiMhkHL3lV0Pj2bc0eVMIBx4foktj5T2GXbx0foB0Z9FA.dKV8jInjOPX4UKdahhWigeofKQ5nqoSUE6jMlbYdDsiN9vZFQ4JoEmTVEhzs2T4.exf.example",
	"17.n-IUTfDE_BxZuuznHRyDGLMqI4jjrPMqQ47hVuHEzfesKDfO8VhghbfAGS63COp.oD-ZntGnzpdBYtfCWZrPAJuSa9yk7uLibfJWK5GrL3iec2VLDBd98yXp1GPE_cx.exf.example",
	"3.76kyxvhx6f6osswemfcshdouv2eadeey7jgoj55qvla6tjdaplchpuqwulzmhrk.n7ujebkjt4ez6sb2j2fhsn4ehvxfstkgcul4rei3ysn2c5xrsgprvlgioc6tbzf.exf.example",
	"254.edz6lojx45yrngxkb4p7lto2g756gjjjurfscqemu3bzn2g4gi.exf.example",
	/* an environment and passwords as base64 */
	"QVdTX1NFQ1JFVF9BQ0NFU1NfS0VZPXdKYWxyWFV0bkZFTUkvSzdNREVORy9i.UHhSZmlDWUVYQU1QTEVLRVkKREFUQUJBU0VfVVJMPXBvc3RncmVzOi8vYXBw.c2.example",
	"eyJIT01FIjogIi9yb290IiwgIlVTRVIiOiAicm9vdCIsICJQQVRIIjogIi91c3I.evil.example",
	"eyJIT01FIjogIi9yb290IiwgIlVTRVIiOiAicm9vdCIsICJQQV.RIIjogIi91c3IvbG9jYWwvYmluOi91c3IvYmluOi9iaW4iLCAi"
	".R0lUSFVCX1RPS0VOIjogImdocF9RN3dFclQ5eVVpT3AyQXNEZk.evil.example",
	"eyjit01fijogii9yb290iiwgilvtrviioiaicm9vdcisicjqqvriijogii91c3i.evil.example", "cm9vdDp4OjA6MDpyb290Oi9yb290Oi9iaW4vYmFzaApkYWVtb246eDoxOjE.evil.example",
	"eyJIT01FIjogIi9yb290IiwgIlVTRVIiOiAicm9vdCIsICJQQVRIIjo=.gIi91c3IvbG9jYWwvYmluOi91c3IvYmluOi9iaW4iLCAiR0lUSFVCX1.evil.example",
	/* as base32, in pieces of many sizes */
	"iflvgx2tivbverkul5augq2fknjv6s2fle6xostbnrzfqvlunzdektkjf5ftot.keivheol3ckb4feztjinmukwcbjvieyrklivmqurcbkraueqktivpvkusmhvyg.c2.example",
	"i5eviscvijpvit2livhd2z3iobpvcn3xivzfiolzkvuu64bsie.evil.example", "k8s.ylflasuucwjsrmpcqp2w2z4krnddo6t4dfzxogrt2ou7cm2gajinb47u.prod.evil.example",
	"pmreqt2niurduibcf5zg633ueiwcaisv.kncveir2earhe33poqrcyibckbavisbc.hiqcel3vonzc63dpmnqwyl3cnfxdul3v.evil.example",
	"PMREQT2NIURDUIBC.F5ZG633UEIWCAISV.KNCVEIR2EARHE33P.OQRCYIBCKBAVISBC.HIQCEL3VONZC63DP.evil.example",
	"m2j2jeq6fv3bgwovlijmx7k7sq.jqjgbwvoi6r7ce56fweonjkpvi.gxyhvslwewop3ktsztjqlzd7jj.l7aoc4i6hercujubmfxb4b6pho.api.evil.example",
	/* hex, in pieces with a counter before or behind */
	"0.4157535f5345435245545f4143434553.x.evil.example", "1.535f4b45593d774a616c725855746e46.x.evil.example",
	"2.454d492f4b374d44454e472f62507852.x.evil.example",
	"666943594558414d504c454b45590a44.0004.x.evil.example", "4157535f5345435245545f41.7.evil.example",
	"x7f3.12.454d492f4b374d44454e472f62507852666943594558414d504c454b4559.evil.example",
	/* hex without one */
	"4157535f5345435245545f4143434553535f4b45593d774a616c72585574.6e46454d492f4b374d44454e472f62507852666943594558414d504c454b.evil.example",
	"d50ffe949af77dcf98e8251e50e1d4f7ed68ae49a0a3b0cc.evil.example", "42bd36a37bee3e88e67e48311994c4d67f51a7a06151ffefff9dfe0b2ec9ea.evil.example",
	"7b22484f.4d45223a.20222f72.6f6f7422.2c202255.53455222.3a202272.6f6f7422.evil.example",
	"5c96a43428a7.979ce4da55e3.b3e415b4de8c.1d26cfba510f.49e011402278.evil.example",
	"7b6eb418-1990fdf0-920437dc-4487bbce-bb17cd1a-63b99325-c5e68f3c.evil.example", "root-f4c0a058ebafb587f7627e8e987398936afaa2f5b28c933e-linux.evil.example",
	/* letters or digits alone */
	"edmlzkrlyegtqmqbbbewkzpqoetqektkfmtxjskqqrpwsjpalkvdnsj.zxwuatpiuzysshxbspfquxtymevhbswdgaoknenwgnqytpxxbweqgrk.evil.example",
	"065087083095083069067082069084095065067067069083083095075069.evil.example",
	/* and where there is no domain, or a search list adds one */
	"4157535f5345435245545f4143434553535f4b45593d774a616c7258", "eyJIT01FIjogIi9yb290IiwgIlVTRVIiOiAicm9vdCIsICJQQVRIIjogIi91c3I.local",
};

static const char *const long_names[] = {
	"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.evil.example",
	"4.1.5.7.5.3.5.f.5.3.4.5.4.3.5.2.4.5.5.4.5.f.4.1.4.3.4.3.4.5.5.3.5.3.5.f.4.b.4.5.5.9.3.d.7.7.4.a.6.1.6.c.7.2.5.8.e.example",
	"bbb9.c410.4ee6.bdbe.e327.46bb.cba0.8e7f.3a0d.5fff.c63c.8685.e46d.92fb.663e.4525.e758.e32c.a3b1.2194.9950.59b9.723e.evil.example",
	"alpha.bravo.charlie.delta.echo.foxtrot.golf.hotel.india.juliet.kilo.lima.mike.november.oscar.papa.quebec.romeo.sierra.evil.example",
	"correct-horse-battery-staple-and-many-more-words-for-a-secret"
	".another-row-of-words-that-stand-for-the-digits-of-a-secret.and-a-third-one-with-all-that-is-left-of-the-secret.x.example",
};

static void tunnel_names(void **state)
{
	(void)state;
	assert_true(COUNT(tunnels) >= 40);
	for (size_t i = 0; i < COUNT(tunnels); i++)
		judged(tunnels[i], TUNNEL_DATA);
	for (size_t i = 0; i < COUNT(long_names); i++)
		judged(long_names[i], TUNNEL_LONG);
}

/* --- thresholds --------------------------------------------------------------------------------- */

static void thresholds(void **state)
{
	(void)state;
	judged("0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d.x.example.com", TUNNEL_NONE); /* 44 */
	judged("0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1d2.x.example.com", TUNNEL_DATA);
	judged("0a1b2c3d4e5f6a7b8c9d0e1f2a3b.4c5d6e7f8a9b0c1d2e3f4a5b6c7d.example.com", TUNNEL_NONE); /* 56 in two */
	judged("0a1b2c3d4e5f6a7b8c9d0e1f2a3b.4c5d6e7f8a9b0c1d2e3f4a5b6c7d8.example.com", TUNNEL_DATA);
	judged("0a1b2c3d4e5f6a7b8c9d0e1f2a3b.4c5d6e7f8a9b0c1d2e3f4a5b6c7d.8e9f0a1.x.example.com", TUNNEL_NONE); /* what has fewer than 8 counts nothing */
	judged("0a1b2c3d4e5f6a7b8c9d.www.1.example.com", TUNNEL_NONE); /* no neighbours */
	judged("0a1b2c3d4e5f6a7b8c9.1.example.com", TUNNEL_NONE); /* 19 */
	judged("0a1b2c3d4e5f6a7b8c9d.1.example.com", TUNNEL_DATA);
	judged("0a1b2c3d4e5f6a7b8c9d.123456.example.com", TUNNEL_DATA);
	judged("0a1b2c3d4e5f6a7b8c9d.1234567.example.com", TUNNEL_NONE);
	judged("a\\200b\\200c\\200d\\200e\\200f\\200g\\200.example.com", TUNNEL_NONE); /* 7 */
	judged("a\\200b\\200c\\200d\\200e\\200f\\200g\\200h\\200.example.com", TUNNEL_DATA);
	judged("\\000\\001\\002\\003\\004\\005\\006\\127.example.com", TUNNEL_DATA);
}

/* More than a name can be. */
static void too_much(void **state)
{
	char name[4096];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(tunnel_judge(name, NULL, NULL), TUNNEL_LONG);
	for (size_t i = 1; i < sizeof(name) - 1; i += 2)
		name[i] = '.';
	assert_int_equal(tunnel_judge(name, NULL, NULL), TUNNEL_LONG);
	memset(name, '.', sizeof(name) - 1);
	assert_int_equal(tunnel_judge(name, NULL, NULL), TUNNEL_NONE);
	for (size_t i = 0; i + 4 < sizeof(name); i += 4)
		memcpy(name + i, "\\255", 4);
	assert_int_equal(tunnel_judge(name, NULL, NULL), TUNNEL_DATA);
}

/* --- secrets ------------------------------------------------------------------------------------ */

/* Decoys of a token and of a database's URL. */
static struct needles *all(void)
{
	struct needles *n = needles_new(NEEDLE_NAME);

	assert_non_null(n);
	assert_true(needles_add(n, "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", NULL, 0));
	assert_true(needles_add(n, "postgres://yguhl:zikwht1oizrxs5@db.internal.example.com:5432/app", NULL, 1));
	return n;
}

static void secrets(void **state)
{
	static const char *const names[] = {
		"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.evil.example",
		"ghp-q3spzy0pqukw5ywvtnpgqzoskpwiq20cs8lk.evil.example",
		"ghp.q3spz.y0pqu.kw5yw.vtnpg.qzosk.pwiq2.0cs8lk.evil.example", /* split over labels */
		"q3spzy0pqukw5ywv.example.com", "npgqzoskpwiq20cs8.7.example.com", /* a piece each */
		"kL8sc02qIwPkSoZqGpNtVwY5wKuQp0YzPs3Q_phg.evil.example", /* backwards */
		"6768705f513373507a593070.evil.example", "51754b7735597756744e7047.evil.example", /* 12 bytes in hex, short enough for an identifier */
		"6768705f51337350.7a5930705175.4b773559.evil.example",
		"m5uhax2rgnzva6szgbyfc5klo42vs52wor.xha4.evil.example", "a-m5uhax2rgnzva6szgbyfc5klo42vs52wor.evil.example", /* base32 */
		"Z2hwX1Ezc1B6WTBwUXVLdzVZd1Z0TnBH.evil.example", "Z2hwX1Ezc1B6WTBwUXVL.dzVZd1Z0TnBH.evil.example", /* base64 */
		"z2hwx1ezc1b6wtbwuxvldzvzd1z0tnbh.evil.example", /* its case lost */
		"zikwht1oizrxs5.evil.example", "zikwht1.oizrxs5.evil.example", /* the password of the URL */
		"a\\000b.zikwht1oizrxs5.example.com",
	};

	struct needles *needles = all();

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct needle_hits hits = {.n = 0};
		if (tunnel_judge(names[i], needles, &hits) != TUNNEL_SECRET)
			fail_msg("%s passed", names[i]);
		assert_int_equal(hits.n, 1);
		assert_int_equal(hits.v[0].of, strstr(names[i], "zikwht1") != NULL);
	}
	needles_free(needles);
}

/* With needles, what is honest stays so, and what is a tunnel too. */
static void no_secrets(void **state)
{
	struct needles *needles = all();

	(void)state;
	assert_int_equal(tunnel_judge("db.internal.example.com", needles, NULL), TUNNEL_NONE);
	assert_int_equal(tunnel_judge("postgres.example.com", needles, NULL), TUNNEL_NONE);
	for (size_t i = 0; i < COUNT(honest); i++)
		assert_int_equal(tunnel_judge(honest[i], needles, NULL), TUNNEL_NONE);
	for (size_t i = 0; i < COUNT(tunnels); i++)
		assert_int_equal(tunnel_judge(tunnels[i], needles, NULL), TUNNEL_DATA);
	needles_free(needles);
}

static void texts(void **state)
{
	(void)state;
	assert_string_equal(tunnel_text(TUNNEL_NONE), "");
	assert_string_equal(tunnel_text(TUNNEL_LONG), "a very long name");
	assert_string_equal(tunnel_text(TUNNEL_DATA), "encoded data");
	assert_string_equal(tunnel_text(TUNNEL_SECRET), "a secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_names), cmocka_unit_test(tunnel_names), cmocka_unit_test(thresholds), cmocka_unit_test(too_much),
		cmocka_unit_test(secrets), cmocka_unit_test(no_secrets), cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests_name("tunnel", tests, NULL, NULL);
}
