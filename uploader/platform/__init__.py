"""What a platform is asked: its calls and the PUT. One package for each platform that is known."""
