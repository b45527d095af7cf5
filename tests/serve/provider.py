"""An OpenID Connect provider, as a process of its own: `python tests/serve/provider.py` prints its address.

It is Authlib's, with the grant of authorization codes, PKCE and signed id tokens. Whoever types a name is that person.
"""

import os
import sys
import time
from dataclasses import dataclass, field

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "blastgit", "a-secret-of-the-tests"
KEY = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
FORM = '<!doctype html><title>Who are you?</title><form method="post"><input name="name"><button>Go</button></form>'


class Client(ClientMixin):
    """The one client that is known."""

    def get_client_id(self):
        return CLIENT

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri.startswith("http://127.0.0.1:") and redirect_uri.endswith("/login/back")

    def check_client_secret(self, client_secret):
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """A code that was given out."""

    code: str
    user: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return None

    def get_amr(self):
        return None


@dataclass
class User:
    """Somebody."""

    name: str

    def get_user_id(self):
        return self.name


CODES: dict[str, Code] = {}


class Grant(AuthorizationCodeGrant):
    """Codes, in memory."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def save_authorization_code(self, code, asked):
        data = asked.payload.data
        CODES[code] = Code(
            code, asked.user.name, asked.payload.redirect_uri, asked.payload.scope, data.get("nonce", ""),
            data.get("code_challenge", ""), data.get("code_challenge_method", ""),
        )  # fmt: skip

    def query_authorization_code(self, code, client):
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code):
        CODES.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code):
        return User(authorization_code.user)


class Tokens(OpenIDCode):
    """Id tokens."""

    def exists_nonce(self, nonce, request):
        return False

    def get_jwt_config(self, grant):
        return {"key": KEY.as_dict(private=True), "alg": "RS256", "iss": request.host_url.rstrip("/"), "exp": 600}

    def resolve_client_private_key(self, client):
        return KEY

    def get_client_algorithm(self, client):
        return "RS256"

    def get_client_claims(self, client):
        return {"iss": request.host_url.rstrip("/")}

    def generate_user_info(self, user, scope):
        return UserInfo(sub=user.name, preferred_username=user.name, name=user.name.title())


def create_app() -> Flask:
    app = Flask(__name__)
    server = AuthorizationServer(app, query_client=lambda name: Client() if name == CLIENT else None,
                                 save_token=lambda token, asked: None)  # fmt: skip
    server.register_grant(Grant, [Tokens(require_nonce=True), CodeChallenge(required=True)])

    @app.get("/.well-known/openid-configuration")
    def configuration():
        base = request.host_url.rstrip("/")
        return jsonify(
            issuer=base, authorization_endpoint=f"{base}/authorize", token_endpoint=f"{base}/token",
            jwks_uri=f"{base}/keys", response_types_supported=["code"], subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"], code_challenge_methods_supported=["S256"],
        )  # fmt: skip

    @app.get("/keys")
    def keys():
        return jsonify(keys=[KEY.as_dict(private=False)])

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize():
        if request.method == "GET":
            return FORM
        grant = server.get_consent_grant(end_user=User(request.form["name"]))
        return server.create_authorization_response(grant_user=User(request.form["name"]), grant=grant)

    @app.post("/token")
    def token():
        return server.create_token_response()

    return app


if __name__ == "__main__":
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # on loopback
    made = make_server("127.0.0.1", 0, create_app(), threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{made.server_port}\n")
    sys.stdout.flush()
    made.serve_forever()
